// Running scripts: the first line of input is the script, then comes the source's data, while output is read.
//
// The script is written before anything is read: the bootstrap says nothing until it has it all, so neither side can
// wait for the other. A source that fails aborts the script (for a job: its group is ended), because the end of its
// input would look like the whole of it.
#include "transport/remote.h"

#include <fmt/format.h>

#include <exception>
#include <thread>

#include "graph/base/text.h"
#include "transport/bootstrap.h"
#include "transport/classify.h"
#include "transport/supervisor.h"

namespace otto::transport {
namespace {

class ScriptRun {
 public:
  ScriptRun(Transport& transport, const Script& script, std::string mark)
      : transport_(transport), script_(script), out_(mark), err_(std::move(mark)) {}

  /// Runs `text`. Interrupted or failed by its source: the command may still run.
  Result<Output> run(std::string_view text);

  /// True where the script itself has begun.
  [[nodiscard]] bool begun() const { return out_.found() || err_.found(); }

 private:
  void feed(Process& process);
  Result<void> read_all(Process& process);
  void pass_on(Stream stream, std::string bytes);
  static bool was_something_else(const ExitStatus& status);
  [[nodiscard]] Error runs_something_else(const ExitStatus& status) const;

  Transport& transport_;
  const Script& script_;
  MarkFilter out_;
  MarkFilter err_;
  Output output_;
  std::stop_source abort_;
  std::optional<Error> source_error_;
};

void ScriptRun::pass_on(Stream stream, std::string bytes) {
  if (bytes.empty()) return;
  if (script_.on_output) return script_.on_output(stream, bytes);
  (stream == Stream::kStdout ? output_.out : output_.err) += bytes;
}

void ScriptRun::feed(Process& process) {
  bool write_failed = false;
  const Writer writer = [&](std::string_view bytes) {
    auto written = process.write(bytes, abort_.get_token());
    write_failed = write_failed || !written;
    return written;
  };
  auto fed = script_.input(writer);
  if (fed.ok()) {
    static_cast<void>(process.close_stdin());
  } else if (!write_failed) {
    source_error_ = std::move(fed).error();
    abort_.request_stop();
  }
}

Result<void> ScriptRun::read_all(Process& process) {
  for (;;) {
    OTTO_TRY(auto chunk, process.read({}, abort_.get_token()));
    if (!chunk) return {};
    auto& filter = chunk->stream == Stream::kStdout ? out_ : err_;
    pass_on(chunk->stream, filter.feed(std::move(chunk->bytes)));
  }
}

Result<Output> ScriptRun::run(std::string_view text) {
  const std::stop_callback forward(script_.stop, [this] { abort_.request_stop(); });
  OTTO_TRY(const auto process,
           transport_.start(Command{std::string(bootstrap_line()), {}, script_.claim}, abort_.get_token()));
  const auto sent = process->write(encode_script(text), abort_.get_token());
  if (!sent && sent.error().code != ErrorCode::kRemoteFailed) return sent.error();

  std::jthread feeder;
  if (script_.input) {
    feeder = std::jthread([&] { feed(*process); });
  } else {
    static_cast<void>(process->close_stdin());
  }
  auto read = read_all(*process);
  auto status = read.ok() ? process->wait(abort_.get_token()) : Result<ExitStatus>(read.error());
  if (!status) abort_.request_stop();
  if (feeder.joinable()) {
    if (script_.stop_input) script_.stop_input();
    feeder.join();
  }
  if (source_error_) return *source_error_;
  if (!status) return std::move(status).error();
  if (!begun() && was_something_else(*status)) return runs_something_else(*status);
  pass_on(Stream::kStdout, out_.held());
  pass_on(Stream::kStderr, err_.held());
  output_.status = *status;
  output_.noise = out_.noise() + err_.noise();
  return std::move(output_);
}

/// What the script ended with is told by its mark only. Without it our own lines before it may have ended.
bool ScriptRun::was_something_else(const ExitStatus& status) {
  constexpr int kScriptNotThere = 255;  // bootstrap.cc
  return status.signal.empty() && status.code != kScriptNotThere && status.code != kNotSupervised;
}

Error ScriptRun::runs_something_else(const ExitStatus& status) const {
  constexpr std::size_t kShown = 200;
  std::string words = text::printable(std::string(text::trim(out_.held() + err_.held())).substr(0, kShown));
  if (!words.empty()) words = ", which says " + text::shell_quote(words);
  return make_error(
      ErrorCode::kRemoteFailed,
      fmt::format("host '{}' runs something else instead of what it is asked to (exit {}){}", transport_.host_id(),
                  status.code, words),
      "its administrator has set that for this account: ForceCommand in sshd_config, command= in authorized_keys, or a "
      "login shell that is none; ask for an account without it");
}

}  // namespace

Remote::Remote(std::unique_ptr<Transport> transport)
    : transport_(std::move(transport)), supervisor_(std::make_unique<Supervisor>(*transport_)) {}

Remote::~Remote() = default;

Result<Output> Remote::run(const Script& script) {
  const std::string mark = random_token();
  ScriptRun run(*transport_, script, mark);
  return run.run(assemble_script(script.text, script.args, mark));
}

Result<Output> Remote::run_job(const Script& script) {
  const JobTicket job = supervisor_->enlist();
  const std::string mark = random_token();
  ScriptRun run(*transport_, script, mark);
  auto output = run.run(set_arguments(script.args) + job_script(script.text, job, mark));
  if (!output) {
    supervisor_->end_job(job);
    return output;
  }
  if (!run.begun() && output->status.code == kNotSupervised) {
    if (auto lost = supervisor_->why_lost(job)) return std::move(*lost);
    return not_supervised(output->err);
  }
  return output;
}

Error Remote::not_supervised(std::string_view words) const {
  return make_error(ErrorCode::kRemoteFailed,
                    fmt::format("'{}': the job could not be supervised and was not run: {}", host_id(),
                                text::printable(text::trim(words))),
                    "otto needs a folder it may write to there: $TMPDIR, /tmp or the home directory");
}

Result<Output> expect_success(Result<Output> output, ErrorCode code, std::string_view what) {
  if (!output.ok() || output->status.success()) return output;
  constexpr std::size_t kLinesShown = 12;
  const std::string_view said = output->err.empty() ? output->out : output->err;
  auto lines = text::split(text::trim(said), '\n');
  if (lines.size() > kLinesShown) lines.erase(lines.begin(), lines.end() - kLinesShown);
  const auto& status = output->status;
  const std::string how =
      status.signal.empty() ? fmt::format("exit {}", status.code) : fmt::format("killed by SIG{}", status.signal);
  std::string message = fmt::format("{} failed ({})", what, how);
  const std::string tail = text::printable(text::join(lines, "\n"));
  if (!tail.empty()) message += ": " + tail;
  return make_error(code, std::move(message));
}

}  // namespace otto::transport
