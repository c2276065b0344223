#include "engine/parent/lock_script.h"

#include <fmt/format.h>

#include "engine/parent/scripts.h"
#include "graph/base/text.h"

namespace otto::parent {

std::string lock_functions(const ParentFacts& facts) {
  return fmt::format("otto_locks={}\notto_me={}\notto_locked=\n{}{}", text::shell_quote(facts.lock_root),
                     text::shell_quote(own_name()), lock_holder_functions(), kLockScript);
}

std::string lock_name(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    safe += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return safe;
}

std::string image_lock(std::string_view tag) {
  const std::size_t colon = tag.rfind(':');
  const bool has_tag = colon != std::string_view::npos && tag.find('/', colon) == std::string_view::npos;
  return "image." + lock_name(tag.substr(0, has_tag ? colon : tag.size()));
}

}  // namespace otto::parent
