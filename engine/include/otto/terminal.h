// A terminal on a host: what is typed goes there, what is shown comes back, as with `ssh -t` or `docker exec -it`.
//
// Comes from Host::open_terminal, borrows its Workspace. type() and resize() may be called on one thread while another
// reads.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto {

struct TerminalOptions {
  std::string term = "xterm";  ///< the remote TERM
  unsigned columns = 80, rows = 24;
  /// A descriptor of a terminal of this machine whose settings (erase key, …) that of a machine takes over; -1: none.
  int settings_of = -1;
  /// A command for the remote POSIX sh; empty: the user's own shell, as after a log-in (in a container bash or sh).
  std::string program = {};
  std::stop_token stop = {};  ///< for opening only
};

class RemoteTerminal {
 public:
  /// Hangs up: what runs on the terminal gets SIGHUP; in a container it is ended too.
  virtual ~RemoteTerminal() = default;

  /// Sends what was typed. Never waits: what the host does not take yet is kept. kRemoteFailed where that becomes too
  /// much (16 MiB).
  virtual Result<void> type(std::string_view bytes) = 0;
  /// Waits for what is shown. nullopt: the program has ended. kTimedOut after `timeout` (zero: wait for ever),
  /// kConnectionLost, kInterrupted on `stop`.
  virtual Result<std::optional<std::string>> read(std::chrono::milliseconds timeout = {},
                                                  std::stop_token stop = {}) = 0;
  /// The program's exit code, or 128 + signal; what is still shown is dropped. Errors as read().
  virtual Result<int> exit_code(std::stop_token stop = {}) = 0;
  virtual void resize(unsigned columns, unsigned rows) = 0;
};

}  // namespace otto
