// The pump between a direct-tcpip channel and a socket.
//
// One buffer each way; a side is read only when its buffer is empty, so the slower end sets the pace of the faster.
#include "transport/ssh/ssh_tunnel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "transport/classify.h"

namespace otto::transport {
namespace {

constexpr std::size_t kBufferSize = 128 * 1024;
constexpr int kTurns = 16;  ///< buffers moved one way before the other channels get their turn

void append_u32(std::string& message, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(value >> shift & 0xFF);
}

void append_string(std::string& message, std::string_view text) {
  append_u32(message, static_cast<std::uint32_t>(text.size()));
  message += text;
}

}  // namespace

TunnelChannel::TunnelChannel(std::string host, std::uint16_t port, Fd local_end) : local_(std::move(local_end)) {
  append_string(message_, host);
  append_u32(message_, port);
  append_string(message_, "127.0.0.1");
  append_u32(message_, 0);
  set_nonblocking(local_.get());
}

Result<void> TunnelChannel::wait_open(Deadline deadline, const std::stop_token& stop) {
  auto state = state_.lock();
  const auto ready = [](const State& s) { return s.open || s.failure; };
  const auto left = deadline ? *deadline - Clock::now() : std::chrono::hours(24);
  state.wait_for(changed_, stop, left, ready);
  if (state->failure) return *state->failure;
  if (state->open) return {};
  if (stop.stop_requested()) return interrupted();
  return make_error(ErrorCode::kTimedOut, "the hop could not connect in time");
}

void TunnelChannel::release() { state_.lock()->released = true; }

void TunnelChannel::opened(LIBSSH2_CHANNEL* channel) {
  channel_ = channel;
  state_.lock()->open = true;
  changed_.notify_all();
}

void TunnelChannel::fail(const Error& error) {
  gone_ = true;
  local_.reset();
  state_.lock()->failure = error;
  changed_.notify_all();
}

void TunnelChannel::add_poll_fds(std::vector<pollfd>& fds) const {
  if (gone_ || !local_.valid()) return;
  int events = to_local_.empty() ? 0 : POLLOUT;
  if (to_remote_.empty() && !local_ended_) events |= POLLIN;
  if (events != 0) fds.push_back(pollfd{local_.get(), static_cast<short>(events), 0});
}

bool TunnelChannel::flush_local() {
  while (to_local_offset_ < to_local_.size()) {
    const ssize_t sent =
        ::send(local_.get(), to_local_.data() + to_local_offset_, to_local_.size() - to_local_offset_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return false;
    if (sent < 0) {
      closing_ = true;
      break;
    }
    to_local_offset_ += static_cast<std::size_t>(sent);
  }
  to_local_.clear();
  to_local_offset_ = 0;
  return true;
}

bool TunnelChannel::fill_from_local() {
  if (local_ended_) return false;
  to_remote_.resize(kBufferSize);
  to_remote_offset_ = 0;
  ssize_t got = 0;
  do {
    got = ::recv(local_.get(), to_remote_.data(), to_remote_.size(), 0);
  } while (got < 0 && errno == EINTR);
  to_remote_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got == 0 || (got < 0 && errno != EAGAIN)) local_ended_ = true;
  return got > 0;
}

Step TunnelChannel::step(SshHandle& handle) {
  if (gone_) return Step::kIdle;
  if (!closing_) {
    const Step in = pump_to_local(handle);
    if (in == Step::kBlocked || in == Step::kBroken) return in;
    const Step out = pump_to_remote(handle);
    if (out == Step::kBlocked || out == Step::kBroken) return out;
    if (!closing_) return in == Step::kMore || out == Step::kMore ? Step::kMore : Step::kIdle;
  }
  const Step step = attempt(handle, kClose);
  return step == Step::kMore ? attempt(handle, kFree) : step;
}

Step TunnelChannel::pump_to_local(SshHandle& handle) {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (!to_local_.empty() && !flush_local()) return Step::kIdle;
    if (closing_) return Step::kIdle;
    const Step step = attempt(handle, kRead);
    if (step != Step::kMore) {
      if (step == Step::kIdle && libssh2_channel_eof(channel_) == 1) closing_ = true;
      return step;
    }
  }
  return Step::kMore;
}

Step TunnelChannel::pump_to_remote(SshHandle& handle) {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (to_remote_.empty() && !fill_from_local()) break;
    while (!to_remote_.empty()) {
      const Step step = attempt(handle, kWrite);
      if (step != Step::kMore) return step;
    }
  }
  if (local_ended_ && to_remote_.empty()) {
    closing_ = true;
    return Step::kMore;
  }
  return to_remote_.empty() ? Step::kIdle : Step::kMore;
}

ssize_t TunnelChannel::call(int op) {
  switch (op) {
    case kRead:
      read_buffer_.resize(kBufferSize);
      return libssh2_channel_read_ex(channel_, 0, read_buffer_.data(), read_buffer_.size());
    case kWrite:
      return libssh2_channel_write_ex(channel_, 0, to_remote_.data() + to_remote_offset_,
                                      to_remote_.size() - to_remote_offset_);
    case kClose: return libssh2_channel_close(channel_);
    default: return libssh2_channel_free(channel_);
  }
}

Step TunnelChannel::done(int op, ssize_t result) {
  switch (op) {
    case kRead:
      if (result <= 0) return Step::kIdle;
      to_local_.assign(read_buffer_, 0, static_cast<std::size_t>(result));
      return Step::kMore;
    case kWrite:
      if (result < 0) closing_ = true;
      if (result <= 0) return Step::kIdle;
      to_remote_offset_ += static_cast<std::size_t>(result);
      if (to_remote_offset_ == to_remote_.size()) {
        to_remote_.clear();
        to_remote_offset_ = 0;
      }
      return Step::kMore;
    case kFree:
      gone_ = true;
      local_.reset();
      return Step::kMore;
    default: return Step::kMore;
  }
}

}  // namespace otto::transport
