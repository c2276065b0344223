// The tasks of a parallel walk: each may add more, and the walk is over when none is left.
//
// Last in, first out, so that a walk goes deep first and little is pending at a time. A failed or interrupted walk is
// closed: what is pending is dropped. Any thread may call anything.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "graph/base/sync.h"

namespace otto::context {

template <typename Task>
class WorkQueue {
 public:
  void add(std::span<const Task> tasks) {
    if (tasks.empty()) return;
    std::size_t woken = 0;
    {
      auto state = state_.lock();
      if (state->closed) return;
      state->pending.insert(state->pending.end(), tasks.begin(), tasks.end());
      state->unfinished += tasks.size();
      woken = std::min(state->idle, tasks.size());
    }
    for (; woken > 0; --woken) added_.notify_one();
  }

  /// Waits for a task; nullopt: there will be none any more. Each task taken must be reported with finished().
  std::optional<Task> take() {
    auto state = state_.lock();
    ++state->idle;
    state.wait(added_, [](const State& s) { return !s.pending.empty() || s.unfinished == 0 || s.closed; });
    --state->idle;
    if (state->closed || state->pending.empty()) return std::nullopt;
    Task task = state->pending.back();
    state->pending.pop_back();
    return task;
  }

  /// The next task if there is one and it `fits`; never waits. To be reported with finished() as any other.
  template <typename Fits>
  std::optional<Task> take_if(Fits fits) {
    auto state = state_.lock();
    if (state->closed || state->pending.empty() || !fits(state->pending.back())) return std::nullopt;
    Task task = state->pending.back();
    state->pending.pop_back();
    return task;
  }

  /// A task and the adding of those it led to are done.
  void finished() {
    if (--state_.lock()->unfinished == 0) wake_all();
  }

  /// Waits for the end, at most for `timeout`. True: the walk is over or closed.
  template <typename Duration>
  bool wait_until_over(Duration timeout) {
    auto state = state_.lock();
    return state.wait_for(over_, timeout, [](const State& s) { return s.unfinished == 0 || s.closed; });
  }

  void close() {
    state_.lock()->closed = true;
    wake_all();
  }

 private:
  void wake_all() {
    added_.notify_all();
    over_.notify_all();
  }

  struct State {
    std::vector<Task> pending;
    std::size_t unfinished = 0;
    std::size_t idle = 0;  ///< waiting in take(): nobody else is worth a wake-up
    bool closed = false;
  };
  Sync<State> state_;
  std::condition_variable_any added_, over_;
};

}  // namespace otto::context
