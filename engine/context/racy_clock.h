// When is a file's change time too near to the scan to be believed next time? (git calls such entries racily clean.)
//
// Pure but for file_clock_ns(). Times are nanoseconds since 1970.
#pragma once

#include <cstdint>

namespace otto::context {

/// What the clock that stamps files says now; it is never ahead of the precise one.
std::int64_t file_clock_ns();

/// Could a file with this change time have been written again, after a scan that began at `clock_ns`, without a trace
/// in its stat? `remote`: it lies on a network file system.
bool is_racy(std::int64_t ctime_ns, bool remote, std::int64_t clock_ns);

}  // namespace otto::context
