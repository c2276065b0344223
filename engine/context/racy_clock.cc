#include "engine/context/racy_clock.h"

#include <ctime>

namespace otto::context {

namespace {

/// How near to the scan a change time makes an entry racy. The race:
///   1. an editor writes a file; the kernel stamps it with its clock's tick, t;
///   2. the scan reads the file;
///   3. the editor writes again within the same tick, keeping the size: the stamp is t once more;
///   4. the next scan finds the stat it knows and would believe the old digest.
/// So a stat is believed only where its tick was over before the scan began. A tick is at most 10 ms on Linux
/// (CONFIG_HZ=100). Stamps without a fraction come from file systems that keep 1 or 2 seconds. On a network file system
/// the stamp is the server's clock, which may be behind ours: step 3 can happen though t looks long gone. A stamp in
/// the future is racy for as long as it is.
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTick = 20'000'000;
constexpr std::int64_t kCoarseTick = 3 * kSecond;
constexpr std::int64_t kRemoteTick = 60 * kSecond;

}  // namespace

std::int64_t file_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * kSecond + now.tv_nsec;
}

bool is_racy(std::int64_t ctime_ns, bool remote, std::int64_t clock_ns) {
  const std::int64_t tick = remote ? kRemoteTick : ctime_ns % kSecond == 0 ? kCoarseTick : kTick;
  return ctime_ns > clock_ns - tick;
}

}  // namespace otto::context
