// Jobs on a terminal: the script goes in as typed input while nothing is echoed, and its mark says when it has begun.
//
// Both outputs are the terminal, so the mark of each comes, one after the other.
#include <fmt/format.h>

#include "graph/base/text.h"
#include "transport/bootstrap.h"
#include "transport/supervisor.h"

namespace otto::transport {

class Remote::TerminalJob final : public Process {
 public:
  TerminalJob(Supervisor& supervisor, JobTicket job, std::unique_ptr<Process> process)
      : supervisor_(supervisor), job_(std::move(job)), process_(std::move(process)) {}
  ~TerminalJob() override {
    if (!over_) supervisor_.end_job(job_);
  }
  TerminalJob(const TerminalJob&) = delete;
  TerminalJob& operator=(const TerminalJob&) = delete;

  /// Drops what is shown up to and with `mark`. kRemoteFailed where it never comes.
  Result<void> await_setup(std::string_view mark, const std::stop_token& stop) {
    for (;;) {
      const std::size_t at = first_.find(mark);
      if (at != std::string::npos) {
        first_.erase(0, at + mark.size());
        return {};
      }
      OTTO_TRY(const auto chunk, process_->read({}, stop));
      if (!chunk) return make_error(ErrorCode::kRemoteFailed, "the terminal could not be set up: " + first_);
      first_ += chunk->bytes;
    }
  }

  /// Reads up to the script's beginning. False: it has ended before, saying `words`.
  Result<bool> await_begin(std::string_view mark, std::string& words, const std::stop_token& stop) {
    MarkFilter filter(fmt::format("{0}\n{0}", mark));
    for (;;) {
      OTTO_TRY(auto chunk, process_->read({}, stop));
      if (!chunk) break;
      first_ = filter.feed(std::move(chunk->bytes));
      if (filter.found()) return true;
    }
    words = filter.held();
    return false;
  }

  Result<void> write(std::string_view bytes, std::stop_token stop) override {
    return process_->write(bytes, std::move(stop));
  }
  Result<void> close_stdin() override { return process_->close_stdin(); }
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
    if (!first_.empty()) return std::optional(Chunk{Stream::kStdout, std::exchange(first_, {})});
    auto chunk = process_->read(timeout, std::move(stop));
    over_ = over_ || (chunk.ok() && !*chunk);
    return chunk;
  }
  Result<ExitStatus> wait(std::stop_token stop) override {
    auto status = process_->wait(std::move(stop));
    over_ = over_ || status.ok();
    return status;
  }
  Result<void> signal(std::string_view name) override { return process_->signal(name); }
  Result<void> resize(unsigned columns, unsigned rows) override { return process_->resize(columns, rows); }

 private:
  Supervisor& supervisor_;
  JobTicket job_;
  std::unique_ptr<Process> process_;
  std::string first_;
  bool over_ = false;
};

Result<std::unique_ptr<Process>> Remote::start_on_terminal(const TerminalScript& script) {
  const JobTicket job = supervisor_->enlist();
  const std::string mark = random_token();
  Command command{std::string(bootstrap_line()), script.pty, Claim::kStays};
  command.pty->raw = true;
  OTTO_TRY(auto process, transport_->start(command, script.stop));
  auto terminal = std::make_unique<TerminalJob>(*supervisor_, job, std::move(process));
  const std::string setup = script.cooked ? fmt::format("stty sane; printf %s {}.\n", mark) : "";
  const std::string text = set_arguments(script.args) + job_script(setup + script.text, job, mark);
  OTTO_RETURN_IF_ERROR(terminal->write(encode_script(text), script.stop));
  std::string words;
  OTTO_TRY(const bool begun, terminal->await_begin(mark, words, script.stop));
  if (begun) {
    if (script.cooked) OTTO_RETURN_IF_ERROR(terminal->await_setup(mark + ".", script.stop));
    return std::unique_ptr<Process>(std::move(terminal));
  }
  OTTO_TRY(const ExitStatus status, terminal->wait(script.stop));
  if (status.code == kNotSupervised) {
    if (auto lost = supervisor_->why_lost(job)) return std::move(*lost);
    return not_supervised(words);
  }
  return make_error(ErrorCode::kRemoteFailed, fmt::format("'{}': the script did not begin (exit {}): {}", host_id(),
                                                          status.shell_code(), text::printable(text::trim(words))));
}

}  // namespace otto::transport
