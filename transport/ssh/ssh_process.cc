// The user's half of ExecChannel: what Process promises, over the state shared with the loop.
//
// Output that has arrived is handed out before any error, and an exit status before a connection error. A write is cut
// into pieces, so that one huge string is never held twice.
#include "transport/ssh/ssh_process.h"

#include <fmt/format.h>

#include "transport/classify.h"

namespace otto::transport {
namespace {

constexpr std::size_t kInputCap = 1024 * 1024;  ///< queued input per command; the loop sends from it while we fill it
constexpr std::size_t kPiece = 128 * 1024;

}  // namespace

Result<void> ExecChannel::wait_started(const std::stop_token& stop) {
  auto state = state_.lock();
  const bool ready = state.wait(changed_, stop, [](const State& s) { return s.started || s.failure; });
  if (state->started) return {};
  if (!ready) return interrupted();
  return *state->failure;
}

Result<void> ExecChannel::write(std::string_view bytes, const std::stop_token& stop) {
  while (!bytes.empty()) {
    std::string piece(bytes.substr(0, kPiece));
    {
      auto state = state_.lock();
      const bool ready =
          state.wait(changed_, stop, [&](const State& s) { return ended(s) || s.input_bytes < kInputCap; });
      if (!ready || stop.stop_requested()) return interrupted();
      if (state->failure) return *state->failure;
      if (state->exit) {
        return make_error(ErrorCode::kRemoteFailed, fmt::format("{}: the command has ended", link_.who));
      }
      OTTO_CHECK(!state->input_end_wanted);
      state->input_bytes += piece.size();
      state->input.push_back(std::move(piece));
    }
    link_.wakeup.notify();
    bytes.remove_prefix(std::min(bytes.size(), kPiece));
  }
  return {};
}

Result<void> ExecChannel::close_stdin() {
  {
    auto state = state_.lock();
    if (state->failure) return *state->failure;
    state->input_end_wanted = true;
  }
  link_.wakeup.notify();
  return {};
}

Result<std::optional<Chunk>> ExecChannel::read(std::chrono::milliseconds timeout, const std::stop_token& stop) {
  auto state = state_.lock();
  const auto ready = [](const State& s) { return !s.output.empty() || s.output_ended || s.failure; };
  const bool in_time =
      timeout.count() == 0 ? state.wait(changed_, stop, ready) : state.wait_for(changed_, stop, timeout, ready);
  if (!state->output.empty()) {
    Chunk chunk = std::move(state->output.front());
    state->output.pop_front();
    state->output_bytes -= chunk.bytes.size();
    if (state->reading_paused) link_.wakeup.notify();
    return std::optional(std::move(chunk));
  }
  if (state->failure) return *state->failure;
  if (state->output_ended) return std::optional<Chunk>();
  if (stop.stop_requested() || in_time) return interrupted();
  return make_error(ErrorCode::kTimedOut, fmt::format("{}: no output in time", link_.who));
}

Result<ExitStatus> ExecChannel::wait(const std::stop_token& stop) {
  for (;;) {
    OTTO_TRY(const auto chunk, read({}, stop));
    if (!chunk) break;
  }
  auto state = state_.lock();
  if (!state.wait(changed_, stop, [this](const State& s) { return ended(s); })) return interrupted();
  if (state->exit) return *state->exit;
  return *state->failure;
}

Result<void> ExecChannel::signal(std::string_view name) {
  {
    auto state = state_.lock();
    if (state->failure) return *state->failure;
    state->orders.push_back(SignalOrder{std::string(name)});
  }
  link_.wakeup.notify();
  return {};
}

Result<void> ExecChannel::resize(unsigned columns, unsigned rows) {
  if (!command_.pty) return make_error(ErrorCode::kUnsupported, "only a command with a terminal can be resized");
  {
    auto state = state_.lock();
    if (state->failure) return *state->failure;
    state->orders.push_back(ResizeOrder{columns, rows});
  }
  link_.wakeup.notify();
  return {};
}

void ExecChannel::release() {
  const Wakeup& wakeup = link_.wakeup;
  {
    auto state = state_.lock();
    state->released = true;
    state->output.clear();
    state->output_bytes = 0;
  }
  wakeup.notify();
}

}  // namespace otto::transport
