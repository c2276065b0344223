// The loop's half of ExecChannel: from the exec request to the freed channel.
//
// start() of the transport returns as soon as the exec request has been sent: input may follow at once, without waiting
// a round trip for the server's yes. A no comes back as a failure of the command.
#include "transport/ssh/ssh_exec.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::size_t kChannelReadSize = 64 * 1024;
constexpr std::size_t kOutputCap = 2 * 1024 * 1024;  ///< unread output per command before its window is left to close
constexpr std::size_t kQuantum = 512 * 1024;         ///< bytes one channel may move before the others get their turn
constexpr std::size_t kMergeBelow = 256 * 1024;      ///< small reads are joined into chunks of this size

/// One buffer a thread, made by those that read: each loop reads into its own.
std::array<char, kChannelReadSize>& read_buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<std::array<char, kChannelReadSize>>();
  return *buffer;
}

}  // namespace

void ExecChannel::take_requests() {
  auto state = state_.lock();
  let_go_ = state->released;
  while (!state->input.empty()) {
    sending_.push_back(std::move(state->input.front()));
    state->input.pop_front();
  }
  while (!state->orders.empty()) {
    orders_.push_back(std::move(state->orders.front()));
    state->orders.pop_front();
  }
  end_input_ = state->input_end_wanted;
  paused_ = state->output_bytes >= kOutputCap;
  state->reading_paused = paused_;
}

Step ExecChannel::step(SshHandle& handle) {
  if (phase_ == Phase::kGone) return Step::kIdle;
  take_requests();
  if (let_go_) phase_ = Phase::kClosing;
  if (phase_ == Phase::kClosing) return finish(handle);
  if (!exec_confirmed_) {
    const Step started = start(handle);
    if (started != Step::kIdle || phase_ != Phase::kRunning) return started;
  }
  return run(handle);
}

/// A request that awaits a yes or no. libssh2 takes any channel's answer that it reads while waiting for ours as a
/// failure of ours, so it may look at what is queued only; reading our own (still silent) channel has queued all there
/// is.
Step ExecChannel::attempt_request(SshHandle& handle, Op op) {
  if (const Step drained = attempt(handle, kReadOut); drained == Step::kBlocked || drained == Step::kBroken)
    return drained;
  handle.mute(true);
  const Step step = attempt(handle, op);
  handle.mute(false);
  return step;
}

Step ExecChannel::start(SshHandle& handle) {
  if (phase_ == Phase::kPty) {
    if (!command_.pty) phase_ = Phase::kExec;
    if (command_.pty) return attempt_request(handle, kRequestPty);
  }
  const Step step = attempt_request(handle, kStart);
  if (step == Step::kIdle && libssh2_channel_eof(channel_) == 1) exec_confirmed_ = true;  // closed instead of answered
  if (step == Step::kIdle && phase_ != Phase::kGone) mark_started();
  return step;
}

void ExecChannel::mark_started() {
  if (phase_ != Phase::kExec) return;
  phase_ = Phase::kRunning;
  auto state = state_.lock();
  state->started = true;
  changed_.notify_all();
}

Step ExecChannel::run(SshHandle& handle) {
  bool more = false;
  const auto note = [&](Step step) {
    more = more || step == Step::kMore;
    return step == Step::kBlocked || step == Step::kBroken;
  };
  Step step = Step::kIdle;
  if (exec_confirmed_ && !paused_ && !eof_seen_) {
    if (note(step = read_stream(handle, kReadOut))) return step;
    if (note(step = read_stream(handle, kReadErr))) return step;
    if (libssh2_channel_eof(channel_) == 1) {
      eof_seen_ = true;
      auto state = state_.lock();
      state->output_ended = true;
      changed_.notify_all();
    }
  }
  if (eof_seen_) {
    if (note(step = attempt(handle, kAwaitClose))) return step;
    if (phase_ == Phase::kClosing) return finish(handle);
  }
  while (!orders_.empty()) {
    if (note(step = attempt(handle, kControl))) return step;
    if (step == Step::kIdle) break;
  }
  if (note(step = send_input(handle))) return step;
  return more ? Step::kMore : Step::kIdle;
}

Step ExecChannel::read_stream(SshHandle& handle, Op op) {
  Step step = Step::kMore;
  for (std::size_t moved = 0; moved < kQuantum && !paused_ && step == Step::kMore; moved += kChannelReadSize) {
    step = attempt(handle, op);
  }
  return step;
}

Step ExecChannel::send_input(SshHandle& handle) {
  Step step = Step::kIdle;
  while (!sending_.empty() && sent_ < kQuantum) {
    step = attempt(handle, kSend);
    if (step != Step::kMore) break;
  }
  if (sent_ != 0) {
    link_.bytes_sent += sent_;
    auto state = state_.lock();
    state->input_bytes -= std::exchange(sent_, 0);
    changed_.notify_all();
  }
  if (sending_.empty() && end_input_ && !eof_sent_) step = attempt(handle, kSendEof);
  return step;
}

Step ExecChannel::finish(SshHandle& handle) {
  const Step step = attempt(handle, kClose);
  if (phase_ == Phase::kGone || step != Step::kMore) return step;
  return attempt(handle, kFree);
}

ssize_t ExecChannel::call(int op) {
  switch (op) {
    case kRequestPty:
      return libssh2_channel_request_pty_ex(
          channel_, command_.pty->term.c_str(), static_cast<unsigned>(command_.pty->term.size()), modes_.data(),
          static_cast<unsigned>(modes_.size()), static_cast<int>(command_.pty->columns),
          static_cast<int>(command_.pty->rows), 0, 0);
    case kStart:
      if (command_.line.empty()) return libssh2_channel_process_startup(channel_, "shell", 5, nullptr, 0);
      return libssh2_channel_process_startup(channel_, "exec", 4, command_.line.data(),
                                             static_cast<unsigned>(command_.line.size()));
    case kReadOut: return libssh2_channel_read_ex(channel_, 0, read_buffer().data(), kChannelReadSize);
    case kReadErr:
      return libssh2_channel_read_ex(channel_, SSH_EXTENDED_DATA_STDERR, read_buffer().data(), kChannelReadSize);
    case kSend:
      return libssh2_channel_write_ex(channel_, 0, sending_.front().data() + sending_offset_,
                                      sending_.front().size() - sending_offset_);
    case kSendEof: return libssh2_channel_send_eof(channel_);
    case kControl:
      if (const auto* order = std::get_if<SignalOrder>(&orders_.front())) {
        return libssh2_channel_signal_ex(channel_, order->name.c_str(), order->name.size());
      }
      return libssh2_channel_request_pty_size_ex(channel_,
                                                 static_cast<int>(std::get<ResizeOrder>(orders_.front()).columns),
                                                 static_cast<int>(std::get<ResizeOrder>(orders_.front()).rows), 0, 0);
    case kAwaitClose: return libssh2_channel_wait_closed(channel_);
    case kClose: return libssh2_channel_close(channel_);
    default: return libssh2_channel_free(channel_);
  }
}

Step ExecChannel::done(int op, ssize_t result) {
  switch (op) {
    case kRequestPty:
    case kStart:
      if (result < 0) {
        auto state = state_.lock();
        state->failure = make_error(
            ErrorCode::kRemoteFailed,
            fmt::format("{}: the host refuses to {}", link_.who, op == kStart ? "run the command" : "give a terminal"));
        state->output_ended = true;
        changed_.notify_all();
        phase_ = Phase::kClosing;
        return Step::kMore;
      }
      if (op == kRequestPty) {
        phase_ = Phase::kExec;
        return Step::kMore;
      }
      exec_confirmed_ = true;
      mark_started();
      return Step::kIdle;
    case kReadOut:
    case kReadErr:
      if (result <= 0) return Step::kIdle;
      deliver(op == kReadOut ? Stream::kStdout : Stream::kStderr, static_cast<std::size_t>(result));
      return Step::kMore;
    case kSend:
      if (result < 0) sending_.clear();
      if (result <= 0) return Step::kIdle;
      sent_ += static_cast<std::size_t>(result);
      sending_offset_ += static_cast<std::size_t>(result);
      if (sending_offset_ == sending_.front().size()) {
        sending_.pop_front();
        sending_offset_ = 0;
      }
      return Step::kMore;
    case kSendEof: eof_sent_ = true; return Step::kIdle;
    case kControl: orders_.pop_front(); return Step::kMore;
    case kAwaitClose:
      note_exit();
      phase_ = Phase::kClosing;
      return Step::kMore;
    case kClose: return Step::kMore;
    default: {
      channel_ = nullptr;
      phase_ = Phase::kGone;
      return Step::kMore;
    }
  }
}

void ExecChannel::deliver(Stream stream, std::size_t size) {
  link_.bytes_received += size;
  const std::string_view bytes(read_buffer().data(), size);
  auto state = state_.lock();
  if (!state->output.empty() && state->output.back().stream == stream &&
      state->output.back().bytes.size() < kMergeBelow) {
    state->output.back().bytes.append(bytes);
  } else {
    state->output.push_back(Chunk{stream, std::string(bytes)});
  }
  state->output_bytes += size;
  paused_ = state->output_bytes >= kOutputCap;
  state->reading_paused = paused_;
  changed_.notify_all();
}

void ExecChannel::note_exit() {
  ExitStatus status;
  status.code = libssh2_channel_get_exit_status(channel_);
  char* name = nullptr;
  std::size_t length = 0;
  libssh2_channel_get_exit_signal(channel_, &name, &length, nullptr, nullptr, nullptr, nullptr);
  if (name != nullptr) {
    status.signal.assign(name, length);
    std::free(name);  // libssh2's own allocator, which we leave in place, is malloc
  }
  auto state = state_.lock();
  state->exit = std::move(status);
  changed_.notify_all();
}

void ExecChannel::fail(const Error& error) {
  phase_ = Phase::kGone;
  auto state = state_.lock();
  if (!ended(*state)) state->failure = error;
  state->output_ended = true;
  changed_.notify_all();
}

bool ExecChannel::wants_input() {
  return phase_ != Phase::kGone &&
         (phase_ != Phase::kRunning || !exec_confirmed_ || !paused_ || eof_seen_ || !sending_.empty());
}

bool ExecChannel::abandoned() { return state_.lock()->released; }

}  // namespace otto::transport
