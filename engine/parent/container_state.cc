#include "engine/parent/container_state.h"

#include <algorithm>
#include <array>
#include <utility>

namespace otto::parent {

namespace {

constexpr std::size_t kPrefix = 12;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

constexpr std::array<std::pair<ContainerStatus, std::string_view>, 8> kStatuses = {{
    {ContainerStatus::kUnknown, "unknown"},
    {ContainerStatus::kCreated, "created"},
    {ContainerStatus::kRunning, "running"},
    {ContainerStatus::kPaused, "paused"},
    {ContainerStatus::kRestarting, "restarting"},
    {ContainerStatus::kRemoving, "removing"},
    {ContainerStatus::kExited, "exited"},
    {ContainerStatus::kDead, "dead"},
}};

}  // namespace

ContainerStatus parse_status(std::string_view word) {
  const auto found = std::ranges::find(kStatuses, word, &std::pair<ContainerStatus, std::string_view>::second);
  return found == kStatuses.end() ? ContainerStatus::kUnknown : found->first;
}

std::string_view status_name(ContainerStatus status) { return kStatuses.at(static_cast<std::size_t>(status)).second; }

Health parse_health(std::string_view word) {
  if (word == "healthy") return Health::kHealthy;
  if (word == "unhealthy") return Health::kUnhealthy;
  return word == "starting" ? Health::kStarting : Health::kNone;
}

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
