#include "engine/parent/container_state.h"

#include <algorithm>

namespace otto::parent {

namespace {

constexpr std::size_t kPrefix = 12;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::optional<TemporaryName> temporary_name(std::string_view name) {
  if (name.size() <= kPrefix + 1 || name[kPrefix] != '_') return std::nullopt;
  if (!std::ranges::all_of(name.substr(0, kPrefix), is_hex)) return std::nullopt;
  return TemporaryName{name.substr(0, kPrefix), name.substr(kPrefix + 1)};
}

std::string temporary_name_pattern() {
  std::string pattern;
  for (std::size_t i = 0; i < kPrefix; ++i) pattern += "[0-9a-f]";
  return pattern + "_?*";
}

}  // namespace otto::parent
