// What a verb works with: the options, the open workspace, and the ways to say something.
//
// Data goes to standard output in one piece, after progress has left the screen; errors go to standard error, and in
// JSON to standard output too unless a document of the verb's own is there. Borrows everything; one a command, used by
// the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "cli/command_line/options.h"
#include "cli/render/progress.h"
#include "cli/render/trace.h"
#include "cli/terminal/terminal.h"
#include "graph/base/result.h"
#include "otto/workspace.h"

namespace otto::cli {

/// Standard output and error as a verb may use them. A test collects instead.
struct Streams {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  /// Why nothing more goes to `out` (errno): its reader has ended, its disk is full. 0, and empty: it does.
  std::function<int()> out_failure = {};
};

/// What a verb asks of the workspace beyond the global options.
struct WorkspaceNeeds {
  bool lab = true;
  std::optional<std::string> hop = std::nullopt;
  std::optional<Term> term = std::nullopt;
};

class Invocation {
 public:
  Invocation(const GlobalOptions& options, std::string target, const Terminal& terminal, Progress& progress,
             Streams streams, std::stop_token stop)
      : options_(options),
        target_(std::move(target)),
        terminal_(terminal),
        progress_(progress),
        streams_(std::move(streams)),
        stop_(std::move(stop)) {}

  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  /// The word given for the verb's placeholder: the host id of `otto host ID …`.
  [[nodiscard]] const std::string& target() const { return target_; }
  [[nodiscard]] const Terminal& terminal() const { return terminal_; }
  [[nodiscard]] Progress& progress() const { return progress_; }
  [[nodiscard]] const std::stop_token& stop() const { return stop_; }
  [[nodiscard]] bool json() const { return options_.format == Format::kJson; }

  /// What the command line says of the workspace. kUsage, kIo.
  [[nodiscard]] Result<WorkspaceOptions> workspace_options(const WorkspaceNeeds& needs) const;
  /// As Workspace::open.
  Result<std::unique_ptr<Workspace>> open(const WorkspaceNeeds& needs) const;

  /// From now on everything reported is also kept as a trace, for write_trace(). kIo: the file cannot be written.
  Result<void> trace_to(const std::string& file);
  /// Writes the trace where one was asked for, also of a command that failed. kIo.
  Result<void> write_trace();

  /// The verb's data, whole: progress ends first.
  void print(std::string_view data);
  /// The same of a JSON document, which says of a dry run that it is one.
  void print_json(const std::string& document);
  /// Whichever is asked for.
  void print(const std::string& document, std::string_view text) { json() ? print_json(document) : print(text); }
  /// A piece of a remote command's output, as it comes.
  void pass_on(bool is_stderr, std::string_view bytes);
  /// Why nobody takes the verb's data any more (errno); 0: it is taken.
  [[nodiscard]] int output_failure() const { return streams_.out_failure ? streams_.out_failure() : 0; }
  /// Text for standard error, already rendered.
  void complain(std::string_view text);
  /// True once print() was called: a JSON document is out.
  [[nodiscard]] bool printed() const { return printed_; }

 private:
  const GlobalOptions& options_;
  std::string target_;
  const Terminal& terminal_;
  Progress& progress_;
  Streams streams_;
  std::stop_token stop_;
  std::string trace_file_;
  std::unique_ptr<Trace> trace_;
  bool printed_ = false;
};

}  // namespace otto::cli
