#include "graph/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace otto::graph {
namespace {

using State = TaskState;

/// Records what ran in which order; tasks in `failing` fail.
struct Recorder {
  std::mutex mutex;
  std::vector<std::size_t> order;
  std::vector<std::size_t> failing;

  Schedule schedule(std::vector<std::vector<std::size_t>> inputs, unsigned jobs) {
    Schedule schedule;
    schedule.inputs = std::move(inputs);
    schedule.jobs = jobs;
    schedule.work = [this](std::size_t task, const std::stop_token&) -> Result<void> {
      const std::lock_guard lock(mutex);
      order.push_back(task);
      if (std::find(failing.begin(), failing.end(), task) != failing.end())
        return make_error(ErrorCode::kBuildFailed, "no");
      return {};
    };
    schedule.finished = [](std::size_t, const Result<void>&) {};
    return schedule;
  }
  std::size_t place(std::size_t task) {
    return static_cast<std::size_t>(std::find(order.begin(), order.end(), task) - order.begin());
  }
};

TEST(SchedulerTest, InputsComeFirst) {
  for (const unsigned jobs : {1U, 4U}) {
    Recorder recorder;
    const auto states = run_schedule(recorder.schedule({{2}, {0, 2}, {}, {1}}, jobs));
    EXPECT_EQ(states, std::vector<State>(4, State::kDone));
    EXPECT_LT(recorder.place(2), recorder.place(0));
    EXPECT_LT(recorder.place(0), recorder.place(1));
    EXPECT_LT(recorder.place(1), recorder.place(3));
  }
}

TEST(SchedulerTest, OneJobIsDoneByTheCallerInOrder) {
  Recorder recorder;
  Schedule schedule = recorder.schedule({{}, {}, {0}}, 1);
  std::vector<std::thread::id> threads;
  schedule.work = [&, work = schedule.work](std::size_t task, const std::stop_token& stop) {
    threads.push_back(std::this_thread::get_id());
    return work(task, stop);
  };
  EXPECT_EQ(run_schedule(schedule), std::vector<State>(3, State::kDone));
  EXPECT_EQ(threads, std::vector<std::thread::id>(3, std::this_thread::get_id()));
  EXPECT_EQ(recorder.order, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(SchedulerTest, NothingToRun) {
  Recorder recorder;
  EXPECT_TRUE(run_schedule(recorder.schedule({}, 2)).empty());
}

TEST(SchedulerTest, AFailureStartsNothingNew) {
  Recorder recorder;
  recorder.failing = {0};
  const auto states = run_schedule(recorder.schedule({{}, {0}, {}, {2}}, 1));
  EXPECT_EQ(states[0], State::kFailed);
  EXPECT_EQ(states[1], State::kSkipped);
  EXPECT_EQ(states[2], State::kSkipped);
  EXPECT_EQ(states[3], State::kSkipped);
  EXPECT_EQ(recorder.order, std::vector<std::size_t>{0});
}

TEST(SchedulerTest, KeepGoingSkipsOnlyDependents) {
  Recorder recorder;
  recorder.failing = {0};
  Schedule schedule = recorder.schedule({{}, {0}, {}, {2}, {1}}, 1);
  schedule.keep_going = true;
  const auto states = run_schedule(schedule);
  EXPECT_EQ(states, (std::vector<State>{State::kFailed, State::kSkipped, State::kDone, State::kDone, State::kSkipped}));
}

TEST(SchedulerTest, IndependentTasksRunAtOnce) {
  Recorder recorder;
  Schedule schedule = recorder.schedule({{}, {}}, 2);
  std::mutex mutex;
  std::condition_variable arrived;
  int inside = 0;
  // Each task ends only when both are inside: with one worker this would never end.
  schedule.work = [&](std::size_t, const std::stop_token&) -> Result<void> {
    std::unique_lock lock(mutex);
    ++inside;
    arrived.notify_all();
    arrived.wait(lock, [&] { return inside == 2; });
    return {};
  };
  EXPECT_EQ(run_schedule(schedule), std::vector<State>(2, State::kDone));
}

TEST(SchedulerTest, AStopStartsNothingNew) {
  Recorder recorder;
  Schedule schedule = recorder.schedule({{}, {0}}, 1);
  std::stop_source stop;
  schedule.stop = stop.get_token();
  schedule.work = [&](std::size_t, const std::stop_token& token) -> Result<void> {
    stop.request_stop();
    EXPECT_TRUE(token.stop_requested());
    return {};
  };
  EXPECT_EQ(run_schedule(schedule), (std::vector<State>{State::kDone, State::kSkipped}));
}

TEST(SchedulerTest, ResultsComeBackOnTheCallingThread) {
  Recorder recorder;
  Schedule schedule = recorder.schedule({{}, {}, {}}, 3);
  const auto caller = std::this_thread::get_id();
  std::size_t finished = 0;
  schedule.finished = [&](std::size_t, const Result<void>&) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    ++finished;
  };
  run_schedule(schedule);
  EXPECT_EQ(finished, 3U);
}

}  // namespace
}  // namespace otto::graph
