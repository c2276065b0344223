// The two clocks: one that only goes forward, for waiting and for durations; and the time of day, for what people read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace otto {

using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;  ///< unset: for ever

/// Whole milliseconds since `start`.
inline std::uint64_t ms_since(Clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count());
}

/// The time of day, in milliseconds since 1970.
inline std::int64_t epoch_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace otto
