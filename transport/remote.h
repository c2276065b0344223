// A connected host as the engine uses it: POSIX sh scripts with data on standard input, and jobs that die with otto.
//
// Scripts travel on standard input to `exec sh`, never as login-shell syntax, so csh and fish users work too: the
// command line is a fixed bootstrap (neutral in every login shell) that reads the script up to an end mark,
// byte-exactly, and leaves the rest of standard input to the script. Jobs (builds, compose calls, uploads, commands for
// users) are registered with one supervisor a connection: a small remote script that holds its own channel and ends the
// jobs' process groups, first TERM then KILL, when its input ends (otto gone, also by SIGKILL) or its heartbeat stops
// (cable pulled). See docs/architecture.md, "Supervision". Threads: run() and run_job() may be called from any thread
// at once.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "transport/transport.h"

namespace otto::transport {

/// What a script prints as it runs. Called on the thread that called run().
using OutputSink = std::function<void(Stream stream, std::string_view bytes)>;

/// Feeds standard input after the script: called once, on a thread of its own, with the writer to use; then input ends.
using Writer = std::function<Result<void>(std::string_view bytes)>;
using InputSource = std::function<Result<void>(const Writer& write)>;

struct Script {
  std::string text = {};  ///< POSIX sh; sees `$@` = args
  std::vector<std::string> args = {};
  InputSource input = {};  ///< empty: standard input ends after the script
  /// Called when the command takes no more (it has ended, or the connection has): a source that waits must return now.
  std::function<void()> stop_input = {};
  OutputSink on_output = {};  ///< empty: output is collected into Output
  std::stop_token stop = {};
  Claim claim = Claim::kQueues;
};

struct Output {
  ExitStatus status;
  std::string out;  ///< what on_output did not take
  std::string err;
  std::string noise;  ///< what the login shell and its rc files said before the script, on either output
};

/// A script that has a terminal for its streams. It begins on a raw one (bytes pass as they are, nothing is echoed) and
/// sets it up itself, unless `cooked` asks for a usual one: a key typed on a raw terminal would reach it unchanged.
struct TerminalScript {
  std::string text = {};
  bool cooked = false;
  std::vector<std::string> args = {};
  PtyRequest pty = {};
  std::stop_token stop = {};  ///< for starting only
};

class Remote {
 public:
  explicit Remote(std::unique_ptr<Transport> transport);
  ~Remote();
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  /// Runs a short query that may be left alone if otto dies. A non-zero exit is not an error here: see Output::status.
  /// An end without a sign of the script is (kRemoteFailed): the host has run something else. Input is written while
  /// output is read, so neither side can block the other. kConnectionLost, kInterrupted.
  Result<Output> run(const Script& script);

  /// As run(), but supervised: its whole process group is ended within two seconds when otto, the connection or the
  /// job's stop_token goes.
  Result<Output> run_job(const Script& script);

  /// Starts a script on a terminal, supervised as by run_job(): returns once it has begun. Destroying the Process ends
  /// what runs there. Must not outlive the Remote. Errors as run_job().
  Result<std::unique_ptr<Process>> start_on_terminal(const TerminalScript& script);

  [[nodiscard]] Transport& transport() { return *transport_; }
  [[nodiscard]] const std::string& host_id() const { return transport_->host_id(); }

 private:
  class Supervisor;
  class TerminalJob;
  [[nodiscard]] Error not_supervised(std::string_view words) const;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Supervisor> supervisor_;
};

/// Turns a failed script into an error of `code`: last lines of stderr, printable, in the message.
Result<Output> expect_success(Result<Output> output, ErrorCode code, std::string_view what);

}  // namespace otto::transport
