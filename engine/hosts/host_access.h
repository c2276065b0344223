// How scripts and terminals reach a host: a machine directly, a container by `docker exec` through its parent.
//
// Everything a Host does (commands, sessions, transfers) is written once on top of this: POSIX sh with data on standard
// input, supervised, so that it ends when otto goes. Must not know what the scripts do. Calls may run beside each other
// on several threads once one has succeeded. Borrows the workspace.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/workspace/opened.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::hosts {

/// What is wanted of a terminal.
struct TerminalStart {
  transport::PtyRequest pty;
  std::string program = {};  ///< a POSIX sh command; empty: the user's own shell, as after a log-in
  std::stop_token stop = {};
};

/// A terminal that has begun.
struct StartedTerminal {
  std::unique_ptr<transport::Process> process;
  std::string first;  ///< what it has shown already
};

class HostAccess {
 public:
  virtual ~HostAccess() = default;
  [[nodiscard]] virtual const std::string& id() const = 0;
  [[nodiscard]] virtual workspace::Opened& workspace() const = 0;

  /// Runs a script on the host, supervised. In a container, input flows only once its shell has begun; where the
  /// container does not run, its stack is started first. kUnsupported, and lacks_shell() from then on, where a
  /// container has no /bin/sh: nothing of the input was used. kConnectionLost, kNotRunning, kInterrupted.
  virtual Result<transport::Output> job(const transport::Script& script) = 0;
  /// The command line that runs $1 in the user's own shell: the login shell of a machine, /bin/sh of a container.
  [[nodiscard]] virtual std::string_view command_shell() const = 0;

  /// Starts a program on a terminal of its own. It ends when its Process goes: by the terminal's hang-up, and in a
  /// container, or where a program is named, by supervision too. Errors as job().
  virtual Result<StartedTerminal> terminal(const TerminalStart& start) = 0;

  /// True for a container whose image has no /bin/sh; for such a one, what works without:
  [[nodiscard]] virtual bool lacks_shell() const { return false; }
  /// A program with its arguments: script.args. Errors as job().
  virtual Result<transport::Output> program(const transport::Script& script) = 0;
  /// A tar stream, script.input, into the folder script.args[0], by the engine itself.
  virtual Result<transport::Output> copy_in(const transport::Script& script) = 0;
  /// The path script.args[0] as a tar stream on standard output.
  virtual Result<transport::Output> copy_out(const transport::Script& script) = 0;
};

}  // namespace otto::hosts
