// Sync: exclusion, and waiting for a condition, for a stop and for a time.
#include "graph/base/sync.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

namespace otto {
namespace {

TEST(SyncTest, ExcludesOtherThreads) {
  Sync<int> counter(0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) {
          auto handle = counter.lock();
          *handle = *handle + 1;
        }
      });
    }
  }
  EXPECT_EQ(*counter.lock(), 4000);
}

TEST(SyncTest, WaitsUntilReady) {
  Sync<std::vector<int>> queue;
  std::condition_variable_any changed;
  std::jthread producer([&] {
    queue.lock()->push_back(7);
    changed.notify_all();
  });
  auto handle = queue.lock();
  handle.wait(changed, [](const std::vector<int>& items) { return !items.empty(); });
  EXPECT_EQ(handle->front(), 7);
}

TEST(SyncTest, StopEndsTheWait) {
  Sync<bool> ready(false);
  std::condition_variable_any changed;
  std::stop_source stop;
  bool result = true;
  std::jthread waiter([&] { result = ready.lock().wait(changed, stop.get_token(), [](bool value) { return value; }); });
  stop.request_stop();
  waiter.join();
  EXPECT_FALSE(result);
}

TEST(SyncTest, TimeEndsTheWaitAndTheLockIsHeldAgain) {
  Sync<bool> ready(false);
  std::condition_variable_any changed;
  auto handle = ready.lock();
  EXPECT_FALSE(handle.wait_for(changed, std::chrono::milliseconds(1), [](bool value) { return value; }));
  *handle = true;
  EXPECT_TRUE(handle.wait_for(changed, std::chrono::hours(1), [](bool value) { return value; }));
}

}  // namespace
}  // namespace otto
