// A host one can run commands on: a machine of the lab, or a container behind its parent, all alike.
//
// Hosts borrow the Workspace they come from. One thread at a time for each Host; several Hosts of one machine share its
// connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "otto/session.h"
#include "otto/terminal.h"
#include "otto/workspace.h"

namespace otto {

/// Which of a command's outputs a piece belongs to, and the piece, as it comes.
using CommandOutput = std::function<void(bool is_stderr, std::string_view bytes)>;

/// How a command ended: its own exit code, or 128 + signal.
struct CommandResult {
  int exit_code = 0;
  std::string out, err;    ///< what no CommandOutput took
  bool timed_out = false;  ///< ended because RunOptions::timeout was over; the code is 124 then, as timeout(1) has it
};

struct RunOptions {
  CommandOutput on_output;  ///< empty: collected
  /// Of oneshot(): gives the next piece of standard input, "" at its end; empty function: no input.
  std::function<std::string()> input;
  /// Called, on another thread than `input`, when the command takes no more: an `input` that waits must return "" now.
  std::function<void()> stop_input = {};
  std::stop_token stop;
  /// Of run(), for each command; zero: none. What is overdue is interrupted (SIGINT), a second later killed; the shell
  /// and its state stay, unless even then it does not come back: the next command gets a fresh one.
  std::chrono::milliseconds timeout{0};
  bool last = false;  ///< of run(): the shell ends after these commands, which saves a round trip at the end
};

struct TransferOptions {
  std::stop_token stop;
};

struct TransferReport {
  std::uint64_t files = 0;  ///< files and symbolic links
  std::uint64_t bytes = 0;  ///< of their contents
  std::uint64_t duration_ms = 0;
};

class Host {
 public:
  virtual ~Host() = default;
  [[nodiscard]] virtual const std::string& id() const = 0;

  /// Commands in order in one shell, which stays open for the next call: directory, variables and options persist.
  /// Stops at the first that fails and returns its code. Commands have no input. After `exit`, an interruption or a
  /// lost connection the next call opens a fresh shell. kConnectionLost, kNotRunning, kUnsupported (no shell in the
  /// container), kInterrupted.
  virtual Result<CommandResult> run(const std::vector<std::string>& commands, const RunOptions& options) = 0;
  /// One stateless command in a fresh shell.
  virtual Result<CommandResult> oneshot(std::string_view command, const RunOptions& options) = 0;

  /// A conversation with a program on a terminal; several may be open, each under a name of its own (kUsage). It must
  /// not outlive the Host. Errors as run().
  virtual Result<std::unique_ptr<Session>> open_session(std::string name, const SessionOptions& options) = 0;
  /// A terminal of its own on the host; several may be open. It must not outlive the Workspace. Errors as run();
  /// kUnsupported where the container has no shell.
  virtual Result<std::unique_ptr<RemoteTerminal>> open_terminal(const TerminalOptions& options) = 0;

  /// Copies files and trees of this machine to the host. DEST as scp takes it: a directory if it exists as one, ends in
  /// '/' or there are several sources (then it is made if need be), else the copy's own name. Modes and symbolic links
  /// are kept, a link named as a source is followed. Nothing appears under its final name before it is whole.
  /// kIo, kRemoteFailed with the host's words, kInputsChanged, kConnectionLost, kNotRunning, kInterrupted.
  virtual Result<TransferReport> put(const std::vector<std::string>& sources, std::string_view dest,
                                     const TransferOptions& options) = 0;
  /// The same from the host to this machine. Nothing is written outside of DEST, whatever the host sends. Where some
  /// files could not be read there, the rest has arrived and the error (kRemoteFailed) names them.
  virtual Result<TransferReport> get(const std::vector<std::string>& sources, std::string_view dest,
                                     const TransferOptions& options) = 0;
};

enum class HostKind { kUnix, kLocal, kContainer };
enum class HostState { kRunning, kExited, kDeclared, kUnknown };

struct HostListing {
  std::string id;
  HostKind kind = HostKind::kUnix;
  std::string parent;  ///< of a container
  std::string lab;
  bool docker_capable = false;
  HostState state = HostState::kUnknown;
  std::string container_id, image;
  std::int64_t last_seen_ms = 0;  ///< 0: never
};

/// Machines of the lab, containers the memo remembers, and containers that are declared but were never seen. Offline.
Result<std::vector<HostListing>> list_hosts(Workspace& workspace);

/// A machine or a container by its id. A declared but stopped container is started on first use, without building;
/// kNotRunning ("run `otto docker up` first") where that cannot work. kUnknownName with the near-miss.
Result<std::unique_ptr<Host>> get_host(Workspace& workspace, std::string_view id);

namespace docker {
/// As get_host, for containers only.
Result<std::unique_ptr<Host>> get_container_host(Workspace& workspace, std::string_view host_id);
}  // namespace docker

}  // namespace otto
