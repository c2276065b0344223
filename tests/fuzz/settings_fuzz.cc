// Any bytes as settings.toml: values or one kConfig error that names the place, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/config/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = otto::config::parse_settings("/nonexistent", text);
  OTTO_CHECK(settings.ok() || settings.error().message.starts_with("/nonexistent/.otto/settings.toml:"));
  return 0;
}
