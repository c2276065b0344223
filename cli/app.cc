#include "cli/app.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "cli/command_line/command_line.h"
#include "cli/command_line/docs.h"
#include "cli/command_line/exit_code.h"
#include "cli/render/errors.h"
#include "cli/render/json.h"
#include "cli/terminal/interrupt.h"
#include "cli/verbs/list.h"
#include "graph/base/clock.h"

namespace otto::cli {
namespace {

ProgressSetup progress_setup(const CommandLine& line, const Terminal& terminal, const Streams& streams) {
  ProgressSetup setup;
  setup.mode = terminal.progress;
  const bool unasked = line.options.progress == ProgressMode::kAuto && line.options.verbose == 0;
  if (unasked && setup.mode == ProgressMode::kPlain && line.verb && line.verb->passes_output_on()) {
    setup.mode = ProgressMode::kQuiet;
  }
  setup.style = terminal.err;
  setup.title = !line.target.empty() ? line.target : line.info != nullptr ? std::string(line.info->path) : "otto";
  setup.write = streams.err;
  setup.clock = [begun = Clock::now()] { return static_cast<Millis>(ms_since(begun)); };
  setup.screen = screen_size;
  return setup;
}

std::string error_document(const CommandLine& line, const Error& error) {
  return line.options.dry_run ? json::of_dry_run(json::error(error)) : json::error(error);
}

int usage_error(const CommandLine& line, const Terminal& terminal, const Streams& streams) {
  streams.err(render_error(*line.error, terminal.err));
  if (line.options.format == Format::kJson) streams.out(error_document(line, *line.error));
  return exit_code(line.error->code);
}

int run_command(CommandLine& line, const Terminal& terminal, const Streams& streams) {
  const std::unique_ptr<Progress> progress = make_progress(progress_setup(line, terminal, streams));
  const Interrupt interrupt(
      [&progress] { progress->report(Event::notice(Phase::kStopping, "", "stopping (once more to leave at once)")); });
  Invocation invocation(line.options, line.target, terminal, *progress, streams, interrupt.token());
  Result<int> result = line.options.stands_alone() ? run_listing(invocation) : line.verb->run(invocation);
  if (const Result<void> traced = invocation.write_trace(); !traced.ok() && result.ok()) result = traced.error();
  progress->finish();
  if (result.ok()) return *result;
  const Error& error = result.error();
  streams.err(render_error(error, terminal.err));
  if (invocation.json() && !invocation.printed()) streams.out(error_document(line, error));
  return line.verb ? line.verb->exit_code_of(error) : exit_code(error.code);
}

/// Writes all of it, or remembers why not.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  void write(std::string_view bytes) {
    while (!bytes.empty() && failure_ == 0) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {  // whoever gave it to us does not block, as a shell's script under node.js
        pollfd ready{fd_, POLLOUT, 0};
        ::poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        failure_ = errno;
      }
    }
  }
  [[nodiscard]] int failure() const { return failure_; }

 private:
  int fd_;
  int failure_ = 0;
};

}  // namespace

int run_app(const std::vector<std::string>& words, const Surroundings& surroundings, const Streams& streams) {
  CommandLine line = parse_command_line(words);
  const Terminal terminal = resolve_terminal(line.options, surroundings);
  if (words.empty()) {
    streams.err(help_text("", terminal.err));
    return kExitUsage;
  }
  if (line.error) return usage_error(line, terminal, streams);
  if (line.help) {
    streams.out(help_text(*line.help, terminal.out));
    return kExitDone;
  }
  if (line.options.version) {
    streams.out(line.options.format == Format::kJson ? json::version(OTTO_VERSION)
                                                     : fmt::format("otto {}\n", OTTO_VERSION));
    return kExitDone;
  }
  return run_command(line, terminal, streams);
}

/// What is opened later must not become a stream of this process: its own pipe was read as standard input.
void open_missing_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

int run_process(int argc, const char* const* argv) {
  open_missing_streams();
  Output out(STDOUT_FILENO), err(STDERR_FILENO);
  const Streams streams{[&out](std::string_view bytes) { out.write(bytes); },
                        [&err](std::string_view bytes) { err.write(bytes); }, [&out] { return out.failure(); }};
  const int code = run_app({argv + (argc > 0 ? 1 : 0), argv + argc}, real_surroundings(), streams);
  if (out.failure() == 0) return code;
  if (out.failure() != EPIPE) {
    err.write(fmt::format("otto: error: standard output could not be written: {}\n",
                          std::generic_category().message(out.failure())));
  }
  return code == kExitDone ? kExitFailed : code;
}

}  // namespace otto::cli
