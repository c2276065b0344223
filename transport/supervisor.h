// The client's side of supervision: one remote script a connection that ends jobs when otto can no longer want them.
//
// How it works is told in supervisor_script.h. Here: the channel, the heartbeat every five seconds, the orders to end a
// job. Started with the first job on a thread of its own; a later job starts a new one if the old one was lost. Owned
// by Remote; any thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "graph/base/sync.h"
#include "transport/remote.h"
#include "transport/supervisor_script.h"

namespace otto::transport {

class Remote::Supervisor {
 public:
  explicit Supervisor(Transport& transport) : transport_(transport) {}
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// A place for one job. Waits only until the supervisor's own command is on its way, not for its answer.
  /// kConnectionLost, kInterrupted, or why it cannot be started.
  Result<JobTicket> enlist(const std::stop_token& stop);
  /// Has the job's process group ended, whether it runs already or not.
  void end_job(const JobTicket& job);

 private:
  enum class Phase { kIdle, kStarting, kServing, kLost };
  struct State {
    Phase phase = Phase::kIdle;
    std::string token;
    int jobs = 0;
    std::deque<std::string> orders;
    std::optional<Error> failure;
  };

  void serve(const std::stop_token& stop, const std::string& token);
  Result<void> talk(const std::stop_token& stop, const std::string& token);

  Transport& transport_;
  Sync<State> state_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace otto::transport
