#include "engine/context/racy_clock.h"

#include <gtest/gtest.h>

namespace otto::context {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;
constexpr std::int64_t kNoon = 1'700'000'000 * kSecond;

TEST(RacyClock, AFineStampIsRacyForAFewTicks) {
  constexpr std::int64_t stamp = kNoon + 123'456'789;
  EXPECT_TRUE(is_racy(stamp, false, stamp));
  EXPECT_TRUE(is_racy(stamp, false, stamp + 10 * kMillisecond));
  EXPECT_FALSE(is_racy(stamp, false, stamp + 20 * kMillisecond));
}

TEST(RacyClock, AStampOfWholeSecondsIsRacyForTheCoarsestFileSystem) {
  EXPECT_TRUE(is_racy(kNoon, false, kNoon + 2 * kSecond));
  EXPECT_FALSE(is_racy(kNoon, false, kNoon + 3 * kSecond));
}

TEST(RacyClock, AServersClockMayBeBehind) {
  constexpr std::int64_t stamp = kNoon + 1;
  EXPECT_TRUE(is_racy(stamp, true, stamp + 59 * kSecond));
  EXPECT_FALSE(is_racy(stamp, true, stamp + 60 * kSecond));
}

TEST(RacyClock, TheFutureIsRacy) {
  EXPECT_TRUE(is_racy(kNoon + 1, false, kNoon - 3600 * kSecond));
  EXPECT_FALSE(is_racy(-5, false, kNoon)) << "and times before 1970 are only old";
}

TEST(RacyClock, TheFileClockGoes) {
  const auto first = file_clock_ns();
  EXPECT_GT(first, kNoon);
  EXPECT_GE(file_clock_ns(), first);
}

}  // namespace
}  // namespace otto::context
