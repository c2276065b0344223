#include "engine/parent/lock_holder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "engine/parent/scripts.h"
#include "graph/base/account.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::parent {

namespace {

constexpr std::string_view kWaiting = "otto-waiting";

}  // namespace

std::string waiting_for(const LockHolder& holder, std::chrono::system_clock::time_point now) {
  if (holder.who.empty()) return "for another otto";
  if (!holder.seconds) return "for " + holder.who;
  const auto since = std::chrono::system_clock::to_time_t(now - std::chrono::seconds(*holder.seconds));
  return fmt::format("for {}, since {:%H:%M:%S}", holder.who, fmt::localtime(since));
}

std::optional<LockHolder> read_waiting(std::string_view line) {
  const Record record(line);
  std::string lock, who, age;
  unsigned seconds = 0;
  if (record.kind() != kWaiting || !record.read(lock, who, age)) return std::nullopt;
  LockHolder holder{text::printable(who), {}};
  if (record.read(lock, who, seconds)) holder.seconds = seconds;
  return holder;
}

std::string own_name() {
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) != 0 || machine[0] == '\0') machine = {'?'};
  return text::printable(fmt::format("{}@{}", account().word, machine.data()));
}

std::string_view lock_holder_functions() { return kLockHolderScript; }

}  // namespace otto::parent
