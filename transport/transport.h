// How a host is reached: one Transport a connected host, one Process a command running there.
//
// A Transport knows bytes, exit codes and connection errors; it must not know Docker, settings or the database.
// Implementations: local, ssh (libssh2), telnet. Everything else (scripts, supervision, file transfer) is written once
// on top of start(), so that each host offers the same.
// Ownership: a Transport must outlive the Processes it started. Threads: start() may be called from any thread at once;
// a Process belongs to one thread at a time, but write() and read() may be used from two threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto::transport {

enum class Stream { kStdout, kStderr };

/// How a remote command ended (RFC 4254, 6.10).
struct ExitStatus {
  int code = 0;        ///< exit code; meaningless if `signal` is set
  std::string signal;  ///< "TERM", "KILL", …; empty when the command exited by itself

  [[nodiscard]] bool success() const { return signal.empty() && code == 0; }
  /// The code a shell would report: 128 + signal number for a signal, else `code`.
  [[nodiscard]] int shell_code() const;
};

/// The number of a signal named without SIG; 0: not known here.
int signal_number(std::string_view name);
/// The name without SIG.
std::string signal_name(int number);

/// A terminal for the remote command (RFC 4254, 6.2).
struct PtyRequest {
  std::string term = "xterm";
  unsigned columns = 80;
  unsigned rows = 24;
  std::string modes = {};  ///< of terminal_modes.h; empty: the host's own
  bool raw = false;        ///< begins without echo and line editing, so that a script may come first; wins over `modes`
};

/// What a command wants of the channels of a connection, of which a server allows only so many.
enum class Claim {
  kQueues,      ///< waits for a free one, and gives it back by itself
  kStays,       ///< keeps it until its user is done (a shell, a terminal), so nobody may wait for its end
  kSupervises,  ///< as kStays, and gives way to the connection's first job
  kUrgent,      ///< waits for nobody: what runs may not end without it
};

/// One command line, given to the host's login shell as `ssh HOST LINE` does.
struct Command {
  std::string line;  ///< empty, and only with a pty: the login shell itself, as `ssh HOST` starts it
  std::optional<PtyRequest> pty = {};
  Claim claim = Claim::kQueues;
};

/// A piece of a command's output, in the order it came within its stream.
struct Chunk {
  Stream stream = Stream::kStdout;
  std::string bytes;
};

/// A running command. Destroying it closes its channel: the remote side sees end of file and broken pipes, nothing more
/// (killing what runs there is the supervisor's work, remote.h).
class Process {
 public:
  virtual ~Process() = default;

  /// Sends to standard input; blocks while the peer's window is full. kConnectionLost; kRemoteFailed where the command
  /// has closed its input or ended; kInterrupted on `stop`.
  virtual Result<void> write(std::string_view bytes, std::stop_token stop = {}) = 0;
  /// Ends standard input. Idempotent.
  virtual Result<void> close_stdin() = 0;
  /// Waits for output. nullopt: both outputs have ended. kConnectionLost; kTimedOut after `timeout` (zero: wait for
  /// ever); kInterrupted on `stop`. Output already received is returned before any of these errors.
  virtual Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout = {}, std::stop_token stop = {}) = 0;
  /// The exit status; drains and drops output that was not read. kConnectionLost where it never came.
  virtual Result<ExitStatus> wait(std::stop_token stop = {}) = 0;
  /// Sends a signal by its name without SIG ("INT", "TERM"). kUnsupported where the peer cannot.
  virtual Result<void> signal(std::string_view name) = 0;
  /// Tells the remote terminal its new size. Only with a pty.
  virtual Result<void> resize(unsigned columns, unsigned rows) = 0;
};

/// Bytes this connection moved, payload of all channels, since it was made.
struct Counters {
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Starts a command. Waits for a free channel as its claim says (never more are open than the server allows).
  /// kConnectionLost, kInterrupted.
  virtual Result<std::unique_ptr<Process>> start(const Command& command, std::stop_token stop = {}) = 0;
  /// otto's id of the host, for messages.
  [[nodiscard]] virtual const std::string& host_id() const = 0;
  [[nodiscard]] virtual Counters counters() const = 0;
};

}  // namespace otto::transport
