// A thread holds the job; calls give it lines and take its output through a queue, so that output is passed on by the
// thread that called run().
#include "engine/hosts/persistent_shell.h"

#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <optional>
#include <thread>

#include "engine/hosts/command_io.h"
#include "engine/hosts/scripts.h"
#include "graph/base/clock.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"
#include "transport/bootstrap.h"
#include "transport/classify.h"

namespace otto::hosts {
namespace {

constexpr std::size_t kMostUnread = 8 * 1024 * 1024;
/// Linux takes 128 KiB for one argument, and quoting may make four characters of one.
constexpr std::size_t kMostAsArgument = 16 * 1024;
constexpr std::chrono::seconds kGrace{1};   ///< for a command to end after a signal
constexpr std::chrono::seconds kEndsIn{2};  ///< for a shell to end by itself
constexpr int kTimedOutCode = 124;          ///< as timeout(1)

int to_int(std::string_view digits) {
  int value = 255;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

/// The running shell.
class PersistentShell::Channel {
 public:
  Channel(HostAccess& access, std::string_view lines) : mark_(transport::random_token()) {
    transport::Script script;
    script.text = std::string(kPosixShellScript);
    const bool fits = lines.size() <= kMostAsArgument;
    script.args = {shell_loop(mark_, fits ? lines : std::string_view())};
    if (!fits) type(lines);
    script.stop = stop_.get_token();
    script.claim = transport::Claim::kStays;
    script.on_output = [this](transport::Stream stream, std::string_view bytes) { push(stream, bytes); };
    script.input = [this](const transport::Writer& write) { return feed(write); };
    script.stop_input = [this] { close_input(); };
    thread_ = std::thread([this, &access, script = std::move(script)] {
      auto output = access.job(script);
      state_.lock()->ended = output.ok() ? Result<transport::ExitStatus>(output->status)
                                         : Result<transport::ExitStatus>(std::move(output).error());
      changed_.notify_all();
    });
  }
  ~Channel() {
    close_input();
    {
      auto state = state_.lock();
      state->dropping = true;
      changed_.notify_all();
      state.wait_for(changed_, kEndsIn, [](const State& s) { return s.ended.has_value(); });
    }
    abandon();
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] const std::string& mark() const { return mark_; }
  void type(std::string_view lines) {
    state_.lock()->lines += lines;
    changed_.notify_all();
  }
  /// Ends the job and all it has started.
  void abandon() {
    stop_.request_stop();
    {
      auto state = state_.lock();
      state->dropping = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  /// Output, or nullopt where the shell has ended (ended()). kTimedOut at the deadline, kInterrupted.
  Result<std::optional<transport::Chunk>> read(std::optional<Clock::time_point> deadline, const std::stop_token& stop) {
    auto state = state_.lock();
    const auto ready = [](const State& s) { return !s.output.empty() || s.ended; };
    if (deadline) {
      state.wait_for(changed_, stop, *deadline - Clock::now(), ready);
    } else {
      state.wait(changed_, stop, ready);
    }
    if (stop.stop_requested()) return transport::interrupted();
    if (!state->output.empty()) {
      transport::Chunk chunk = std::move(state->output.front());
      state->output.pop_front();
      state->unread -= chunk.bytes.size();
      changed_.notify_all();
      return std::optional(std::move(chunk));
    }
    if (state->ended) return std::optional<transport::Chunk>();
    return make_error(ErrorCode::kTimedOut, "no output in time");
  }
  [[nodiscard]] Result<transport::ExitStatus> ended() { return *state_.lock()->ended; }

  // Of the last mark: the shell, when its next command began, its last background process; empty before the first.
  std::string pid, since, background;

 private:
  struct State {
    std::string lines;
    bool input_closed = false, dropping = false;
    std::deque<transport::Chunk> output;
    std::size_t unread = 0;
    std::optional<Result<transport::ExitStatus>> ended;
  };

  void close_input() {
    state_.lock()->input_closed = true;
    changed_.notify_all();
  }
  void push(transport::Stream stream, std::string_view bytes) {
    auto state = state_.lock();
    state.wait(changed_, [](const State& s) { return s.unread < kMostUnread || s.dropping; });
    if (state->dropping) return;
    state->output.push_back({stream, std::string(bytes)});
    state->unread += bytes.size();
    changed_.notify_all();
  }
  Result<void> feed(const transport::Writer& write) {
    for (;;) {
      std::string lines;
      {
        auto state = state_.lock();
        state.wait(changed_, [](const State& s) { return !s.lines.empty() || s.input_closed; });
        if (state->lines.empty()) return {};
        lines.swap(state->lines);
      }
      OTTO_RETURN_IF_ERROR(write(lines));
    }
  }

  std::string mark_;
  std::stop_source stop_;
  Sync<State> state_;
  std::condition_variable_any changed_;
  std::thread thread_;
};

/// One call of run().
class PersistentShell::Call {
 public:
  Call(PersistentShell& shell, const RunOptions& options, std::size_t commands)
      : shell_(shell),
        options_(options),
        io_(options),
        left_(commands),
        out_(shell.channel_->mark(), 4),
        err_(shell.channel_->mark(), 0) {}

  Result<CommandResult> run() {
    if (shell_.channel_->pid.empty()) {
      OTTO_TRY(const bool begun, await_mark({}));
      if (!begun) return last_words();
    }
    for (;;) {
      OTTO_TRY(const bool marked, await_mark(deadline()));
      if (!marked && ended_) return last_words();
      if (!marked) return overdue();
      if (--left_ == 0 || code_ != 0) break;
    }
    if (options_.last) OTTO_RETURN_IF_ERROR(await_end());
    return finish(code_);
  }

 private:
  using Deadline = std::optional<Clock::time_point>;
  [[nodiscard]] Deadline deadline() const {
    return options_.timeout.count() == 0 ? Deadline() : Deadline(Clock::now() + options_.timeout);
  }
  Result<CommandResult> finish(int code) {
    transport::ExitStatus status;
    status.code = code;
    return std::move(io_).finish(status);
  }

  /// True: the command has ended. False: the shell has, or the time is over.
  Result<bool> await_mark(Deadline until) {
    bool out_done = false, err_done = false;
    Channel& channel = *shell_.channel_;
    for (;;) {
      out_done = out_done || pass_on(transport::Stream::kStdout);
      err_done = err_done || pass_on(transport::Stream::kStderr);
      if (out_done && err_done) return true;
      auto chunk = channel.read(until, options_.stop);
      if (!chunk && chunk.error().code == ErrorCode::kTimedOut) return false;
      if (!chunk) return give_up(), std::move(chunk).error();
      ended_ = !*chunk;
      if (ended_) return false;
      ((*chunk)->stream == transport::Stream::kStdout ? out_ : err_).feed((*chunk)->bytes);
    }
  }
  /// True at a mark.
  bool pass_on(transport::Stream stream) {
    const bool is_out = stream == transport::Stream::kStdout;
    MarkScanner::Piece piece = (is_out ? out_ : err_).next();
    if (!piece.bytes.empty()) io_.take(stream, piece.bytes);
    if (piece.marked && is_out) {
      code_ = to_int(piece.fields[0]);
      shell_.channel_->pid = piece.fields[1];
      shell_.channel_->since = piece.fields[2];
      shell_.channel_->background = piece.fields[3];
      std::erase(shell_.channel_->since, '.');  // seconds with two decimals are ticks of 1/100 s
    }
    return piece.marked;
  }

  /// The shell has ended in the middle of a command: `exit`, a signal, a lost connection.
  Result<CommandResult> last_words() {
    for (const auto stream : {transport::Stream::kStdout, transport::Stream::kStderr}) {
      const std::string rest = (stream == transport::Stream::kStdout ? out_ : err_).rest();
      if (!rest.empty()) io_.take(stream, rest);
    }
    auto status = shell_.channel_->ended();
    give_up();
    if (!status) return std::move(status).error();
    return finish(status->shell_code());
  }
  Result<void> await_end() {
    while (!ended_) OTTO_RETURN_IF_ERROR(await_mark({}));
    auto status = shell_.channel_->ended();
    give_up();
    if (!status) return std::move(status).error();
    return {};
  }

  Result<CommandResult> overdue() {
    bool back = false;
    for (const char* signal : {"INT", "KILL"}) {
      transport::Script script;
      script.text = std::string(interrupt_script());
      script.args = {signal, shell_.channel_->pid, shell_.channel_->since, shell_.channel_->background};
      script.stop = options_.stop;
      script.claim = transport::Claim::kUrgent;
      if (const auto sent = shell_.access_.job(script); !sent) return give_up(), sent.error();
      OTTO_TRY(back, await_mark(Clock::now() + kGrace));
      if (back || ended_) break;
    }
    // One that ended by itself in the last moment was followed by the next, which nobody waits for.
    if (!back || code_ == 0 || options_.last) give_up();
    OTTO_TRY(CommandResult result, finish(kTimedOutCode));
    result.timed_out = true;
    return result;
  }
  void give_up() {
    if (!shell_.channel_) return;
    shell_.channel_->abandon();
    shell_.channel_.reset();
  }

  PersistentShell& shell_;
  const RunOptions& options_;
  CommandIo io_;
  std::size_t left_;
  MarkScanner out_, err_;
  int code_ = 0;
  bool ended_ = false;
};

PersistentShell::PersistentShell(HostAccess& access) : access_(access) {}
PersistentShell::~PersistentShell() = default;

Result<CommandResult> PersistentShell::run(const std::vector<std::string>& commands, const RunOptions& options) {
  if (commands.empty()) return CommandResult();
  const std::string lines = command_lines(commands, options.last);
  if (channel_) {
    channel_->type(lines);
  } else {
    channel_ = std::make_unique<Channel>(access_, lines);
  }
  return Call(*this, options, commands.size()).run();
}

}  // namespace otto::hosts
