// Starts local programs: `ssh -G`, a ProxyCommand, the local transport's commands.
//
// argv only, never a command line of our own making through a shell; everything but the three given descriptors is
// closed in the child (close-on-exec throughout). Uses posix_spawn, so starting from a program with many threads is
// safe. The caller reaps the child through Child.
#pragma once

#include <sys/types.h>

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "graph/base/fd.h"
#include "graph/base/result.h"
#include "transport/transport.h"

namespace otto::transport {

struct SpawnRequest {
  std::vector<std::string> argv = {};  ///< argv[0] is looked up in PATH unless it contains '/'
  int stdin_fd = -1;                   ///< -1: /dev/null
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool new_session = false;   ///< setsid(2): its own process group, no terminal
  std::string terminal = {};  ///< with new_session: the path of a terminal that becomes its own, and all three streams
  std::string program = {};   ///< what is started where argv[0] is not its name ("-bash")
  std::vector<std::string> environment = {};  ///< NAME=VALUE, over the process's own
};

/// A started child. Destroying it does not end it: see kill_and_reap().
class Child {
 public:
  explicit Child(pid_t pid);
  Child(Child&&) = default;
  Child& operator=(Child&&) = default;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits for its end; the raw wait status. kInterrupted, kTimedOut.
  Result<int> wait(Deadline deadline, const std::stop_token& stop);
  /// The raw wait status, if it has ended.
  std::optional<int> try_wait();
  void kill_and_reap();

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
  std::optional<int> status_;
};

/// Of a raw wait status.
ExitStatus to_exit_status(int wait_status);

/// kIo: the program is not there or cannot be started.
Result<Child> spawn(const SpawnRequest& request);

struct CommandOutput {
  int wait_status = 0;
  std::string out;
  std::string err;
};

/// Runs to the end and collects both outputs. kIo, kInterrupted, kTimedOut (the child is killed).
Result<CommandOutput> run_and_collect(const std::vector<std::string>& argv, Deadline deadline,
                                      const std::stop_token& stop);

/// The first executable of this name in PATH.
std::optional<std::string> find_program(const std::string& name);

}  // namespace otto::transport
