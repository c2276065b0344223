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

  /// A place for one job. Waits for nothing: the job's script looks for its supervisor there.
  JobTicket enlist();
  /// Of a job that found no supervisor: what became of it, if that is known here.
  std::optional<Error> why_lost(const JobTicket& job);
  /// Has the job's process group ended, whether it runs already or not.
  void end_job(const JobTicket& job);

 private:
  struct State {
    bool serving = false;
    std::string token;
    int jobs = 0;
    std::deque<std::string> orders;
    std::optional<std::pair<std::string, Error>> failure;  ///< of the supervisor with that token
  };

  void serve(const std::stop_token& stop, const std::string& token);
  Result<void> talk(const std::stop_token& stop, const std::string& token);

  Transport& transport_;
  Sync<State> state_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace otto::transport
