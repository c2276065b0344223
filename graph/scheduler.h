// Runs tasks in dependency order on a few workers; results come back through one queue to the calling thread.
//
// Knows tasks by number only. `work` runs on workers, `finished` on the calling thread, which therefore may own the
// graph, the state and the writable database. After the first failure no task is started any more (keep_going: only
// those that depend on the failed one are not).
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "graph/base/result.h"

namespace otto::graph {

/// How a task ended.
enum class TaskState {
  kWaiting,  ///< not started yet
  kRunning,
  kDone,
  kFailed,
  kSkipped,  ///< never started: an input failed, the run was stopped, or an earlier failure ended it
};

struct Schedule {
  std::vector<std::vector<std::size_t>> inputs;  ///< of each task: the tasks that must be done before it
  unsigned jobs = 4;                             ///< workers; up to 1: the calling thread does all of it
  bool keep_going = false;
  std::function<Result<void>(std::size_t task, std::stop_token stop)> work;    ///< on a worker
  std::function<void(std::size_t task, const Result<void>& result)> finished;  ///< on the calling thread
  std::stop_token stop;
};

/// Runs until every task has ended; gives each task's state. Inputs must form no cycle.
std::vector<TaskState> run_schedule(const Schedule& schedule);

}  // namespace otto::graph
