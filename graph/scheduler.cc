#include "graph/scheduler.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "graph/base/sync.h"

namespace otto::graph {

namespace {

/// A queue between threads; closing it wakes everyone.
template <typename T>
class Queue {
 public:
  void push(T item) {
    items_.lock()->waiting.push_back(std::move(item));
    changed_.notify_one();
  }
  void close() {
    items_.lock()->closed = true;
    changed_.notify_all();
  }
  std::optional<T> pop() {
    auto items = items_.lock();
    items.wait(changed_, [](const State& state) { return state.closed || !state.waiting.empty(); });
    if (items->waiting.empty()) return std::nullopt;
    T item = std::move(items->waiting.front());
    items->waiting.pop_front();
    return item;
  }

 private:
  struct State {
    std::deque<T> waiting;
    bool closed = false;
  };
  Sync<State> items_;
  std::condition_variable_any changed_;
};

class Run {
 public:
  explicit Run(const Schedule& schedule)
      : schedule_(schedule),
        states_(schedule.inputs.size(), TaskState::kWaiting),
        missing_(schedule.inputs.size()),
        dependents_(schedule.inputs.size()) {
    for (std::size_t task = 0; task < schedule.inputs.size(); ++task) {
      missing_[task] = schedule.inputs[task].size();
      for (const std::size_t input : schedule.inputs[task]) dependents_[input].push_back(task);
    }
  }

  std::vector<TaskState> operator()() {
    const bool alone = schedule_.jobs <= 1;
    std::vector<std::jthread> workers;
    for (unsigned i = 0; !alone && i < schedule_.jobs; ++i) workers.emplace_back([this] { work(); });
    for (std::size_t task = 0; task < states_.size(); ++task) {
      if (missing_[task] == 0) start(task);
    }
    while (running_ > 0) {
      if (alone) work_on(*ready_.pop());
      finish(*ended_.pop());
    }
    ready_.close();
    std::replace(states_.begin(), states_.end(), TaskState::kWaiting, TaskState::kSkipped);
    return states_;
  }

 private:
  struct Ended {
    std::size_t task;
    bool started;
    Result<void> result;
  };

  void work() {
    while (const auto task = ready_.pop()) work_on(*task);
  }

  void work_on(std::size_t task) {
    if (halted_ || schedule_.stop.stop_requested()) return ended_.push({task, false, {}});
    Result<void> result = schedule_.work(task, schedule_.stop);
    // As in ninja, what runs already may finish.
    if (!result.ok() && !schedule_.keep_going) halted_ = true;
    ended_.push({task, true, std::move(result)});
  }

  void start(std::size_t task) {
    states_[task] = TaskState::kRunning;
    ++running_;
    ready_.push(task);
  }

  void finish(const Ended& ended) {
    --running_;
    states_[ended.task] = !ended.started      ? TaskState::kSkipped
                          : ended.result.ok() ? TaskState::kDone
                                              : TaskState::kFailed;
    if (!ended.started) return;
    schedule_.finished(ended.task, ended.result);
    if (!ended.result.ok()) return;
    for (const std::size_t dependent : dependents_[ended.task]) {
      if (--missing_[dependent] == 0 && !halted_ && !schedule_.stop.stop_requested()) start(dependent);
    }
  }

  const Schedule& schedule_;
  std::vector<TaskState> states_;
  std::vector<std::size_t> missing_;
  std::vector<std::vector<std::size_t>> dependents_;
  std::size_t running_ = 0;
  std::atomic<bool> halted_ = false;  // after a failure nothing new is started
  Queue<std::size_t> ready_;
  Queue<Ended> ended_;
};

}  // namespace

std::vector<TaskState> run_schedule(const Schedule& schedule) { return Run(schedule)(); }

}  // namespace otto::graph
