#include "cli/render/times.h"

#include <fmt/chrono.h>

#include <array>
#include <ctime>
#include <string_view>

#include "cli/render/layout.h"

namespace otto::cli {

std::string rfc3339(std::int64_t epoch_ms) {
  const std::time_t seconds = static_cast<std::time_t>(epoch_ms / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

std::string ago(std::int64_t epoch_ms, std::int64_t now_ms) {
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  static constexpr std::array<Unit, 5> kUnits = {
      {{365LL * 86400, "year"}, {30LL * 86400, "month"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}}};
  const std::int64_t seconds = (now_ms - epoch_ms) / 1000;
  for (const Unit& unit : kUnits) {
    if (seconds >= unit.seconds) return counted(std::uint64_t(seconds / unit.seconds), unit.name) + " ago";
  }
  return "just now";
}

}  // namespace otto::cli
