// Opening channels, giving each its turn, waiting, and keeping the connection alive.
//
// One turn serves every channel once; after a turn in which bytes arrived there is another before the loop waits,
// because libssh2 may have queued packets for a channel that had its turn already. While the socket is full nobody is
// served: nothing more can be sent, and a peer that does not read yet still reads in the end, whatever it has sent us.
#include "transport/ssh/ssh_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "transport/classify.h"

namespace otto::transport {
namespace {

/// sshd allows MaxSessions 10 a connection by default and refuses the eleventh; two are left to whatever else may share
/// our view of its limit (a session whose command outlives its channel still counts there).
constexpr std::size_t kMostSessions = 8;
/// Bytes a peer may send unasked: 2 MiB (libssh2's default) caps a download at 40 MB/s over 50 ms; beyond 8 MiB
/// libssh2's packet queue gets slow to search.
constexpr unsigned kWindow = 4 * 1024 * 1024;
constexpr unsigned kPacket = 32768;
constexpr std::chrono::milliseconds kFirstRetry{5};
constexpr std::chrono::milliseconds kLastRetry{200};
constexpr std::chrono::seconds kCloseSettles{1};
constexpr int kDeadAfter = 3;  ///< keepalive intervals without a byte

}  // namespace

SshLoop::SshLoop(std::unique_ptr<SshHandle> handle, std::chrono::milliseconds keepalive, int spares)
    : handle_(std::move(handle)),
      keepalive_(keepalive),
      spares_wanted_(static_cast<std::size_t>(spares)),
      limit_(kMostSessions) {
  link_.who = handle_->who();
  libssh2_keepalive_config(handle_->get(), 1, 1);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

SshLoop::~SshLoop() {
  thread_.request_stop();
  link_.wakeup.notify();
  thread_.join();
}

void SshLoop::post(std::unique_ptr<Channel> channel) {
  {
    auto inbox = inbox_.lock();
    if (inbox->broken) channel->fail(*inbox->broken);
    inbox->arrivals.push_back(std::move(channel));
  }
  link_.wakeup.notify();
}

void SshLoop::run(const std::stop_token& stop) {
  while (!stop.stop_requested() && !broken_) {
    const std::uint64_t received = handle_->wire_received();
    link_.wakeup.drain();
    const Step step = turn();
    if (step == Step::kBroken || (step == Step::kIdle && handle_->send_failed())) {
      const std::string cause = handle_->socket_cause();
      return break_down(cause.empty() ? handle_->last_message() : cause);
    }
    note_closed_sessions();
    drop_finished();
    if (step == Step::kMore || (step != Step::kBlocked && handle_->wire_received() != received)) continue;
    wait();
  }
  if (broken_) break_down(*broken_);
}

Step SshLoop::turn() {
  accept_arrivals();
  handle_->flush();
  if (open_channels() == Step::kBroken) return Step::kBroken;
  bool more = false;
  first_ = live_.empty() ? 0 : (first_ + 1) % live_.size();
  for (std::size_t i = 0; i < live_.size() && !handle_->send_blocked(); ++i) {
    const Step step = live_[(first_ + i) % live_.size()]->step(*handle_);
    if (step == Step::kBroken) return step;
    more = more || step == Step::kMore;
  }
  if (!handle_->send_blocked() && pump_spares() == Step::kBroken) return Step::kBroken;
  if (handle_->send_blocked()) return Step::kBlocked;
  return more ? Step::kMore : Step::kIdle;
}

void SshLoop::accept_arrivals() {
  std::vector<std::unique_ptr<Channel>> arrivals;
  arrivals.swap(inbox_.lock()->arrivals);
  for (auto& channel : arrivals) {
    auto& waiting = channel->type() == "session" ? waiting_sessions_ : waiting_tunnels_;
    waiting.insert(channel->claim() == Claim::kUrgent ? waiting.begin() : waiting.end(), std::move(channel));
  }
  const auto given_up = [](const auto& channel) { return channel->abandoned(); };
  std::erase_if(waiting_sessions_, given_up);
  const auto first = waiting_tunnels_.begin() + (opening_tunnel_ ? 1 : 0);  // what is being opened is that tunnel's
  waiting_tunnels_.erase(std::remove_if(first, waiting_tunnels_.end(), given_up), waiting_tunnels_.end());
}

Step SshLoop::open_channels() {
  while (!spares_.empty() && !waiting_sessions_.empty()) {
    hand_out(spares_.back());
    spares_.pop_back();
    spares_wanted_ = std::min<std::size_t>(spares_wanted_, 1);
  }
  while (!handle_->send_blocked()) {
    Step step = Step::kIdle;
    if (opening_tunnel_ || (!opening_session_ && !waiting_tunnels_.empty())) {
      step = open_tunnel();
    } else if (opening_session_ || may_open_session()) {
      step = open_session();
    } else if (!waiting_sessions_.empty() && open_sessions() >= limit_ && hopeless()) {
      fail_next_session();
      continue;
    }
    if (step != Step::kMore) return step;
  }
  return Step::kBlocked;
}

/// In order, but the connection's first channel goes to a job and not to its supervisor: the job's script must wait for
/// its window, a round trip in which the supervisor's channel is opened.
void SshLoop::hand_out(LIBSSH2_CHANNEL* channel) {
  const bool first =
      std::none_of(live_.begin(), live_.end(), [](const auto& live) { return live->type() == "session"; });
  const auto next = std::find_if(waiting_sessions_.begin(), waiting_sessions_.end(), [&](const auto& waiting) {
    return (waiting->claim() == Claim::kSupervises) != first;
  });
  const auto chosen = next != waiting_sessions_.end() ? next : waiting_sessions_.begin();
  (*chosen)->opened(channel);
  live_.push_back(std::move(*chosen));
  waiting_sessions_.erase(chosen);
}

bool SshLoop::may_open_session() const {
  const bool wanted = !waiting_sessions_.empty() || spares_.size() < spares_wanted_;
  return wanted && open_sessions() < limit_ && Clock::now() >= retry_at_;
}

Step SshLoop::open_tunnel() {
  auto& tunnel = *waiting_tunnels_.front();
  const auto type = tunnel.type();
  const auto message = tunnel.open_message();
  LIBSSH2_CHANNEL* channel =
      libssh2_channel_open_ex(handle_->get(), type.data(), static_cast<unsigned>(type.size()), kWindow, kPacket,
                              message.data(), static_cast<unsigned>(message.size()));
  const int error = channel != nullptr ? 0 : libssh2_session_last_errno(handle_->get());
  opening_tunnel_ = error == LIBSSH2_ERROR_EAGAIN;
  if (opening_tunnel_) return Step::kIdle;
  if (channel == nullptr && !is_channel_error(error)) return Step::kBroken;
  if (channel != nullptr) {
    tunnel.opened(channel);
  } else {
    tunnel.fail(make_error(ErrorCode::kUnreachable, handle_->last_message()));
  }
  live_.push_back(std::move(waiting_tunnels_.front()));
  waiting_tunnels_.pop_front();
  return Step::kMore;
}

Step SshLoop::open_session() {
  LIBSSH2_CHANNEL* channel = libssh2_channel_open_ex(handle_->get(), "session", 7, kWindow, kPacket, nullptr, 0);
  const int error = channel != nullptr ? 0 : libssh2_session_last_errno(handle_->get());
  opening_session_ = error == LIBSSH2_ERROR_EAGAIN;
  if (opening_session_) return Step::kIdle;
  if (channel == nullptr && !is_channel_error(error)) return Step::kBroken;
  if (channel == nullptr) {
    session_refused();
  } else if (waiting_sessions_.empty()) {
    spares_.push_back(channel);
  } else {
    hand_out(channel);
  }
  return Step::kMore;
}

/// The server took no further session. sshd forgets a closed one only a moment after its last message, so a refusal
/// soon after a close says nothing about its limit: try again in a moment.
void SshLoop::session_refused() {
  spares_wanted_ = 0;
  if (closed_lately()) {
    backoff_ = std::clamp(backoff_ * 2, kFirstRetry, kLastRetry);
    retry_at_ = Clock::now() + backoff_;
    return;
  }
  limit_ = std::max<std::size_t>(1, std::min(limit_, open_sessions()));
  if (open_sessions() == 0 && !waiting_sessions_.empty()) fail_next_session();
}

/// A server that takes one session a connection gives a second only to another connection (kNoRoom).
void SshLoop::fail_next_session() {
  auto error = make_error(open_sessions() == 0 ? ErrorCode::kRemoteFailed : kNoRoom,
                          fmt::format("{}: the host allows only {} session(s) a connection, and no more can be had",
                                      link_.who, open_sessions()),
                          "raise MaxSessions in its sshd_config");
  waiting_sessions_.front()->fail(error);
  live_.push_back(std::move(waiting_sessions_.front()));
  waiting_sessions_.pop_front();
}

void SshLoop::note_closed_sessions() {
  const std::size_t open = open_sessions();
  if (open < counted_) {
    last_close_ = Clock::now();
    backoff_ = {};
    if (limit_ < kMostSessions) retry_at_ = last_close_ + kFirstRetry;
  }
  counted_ = open;
}

bool SshLoop::closed_lately() const { return Clock::now() - last_close_ < kCloseSettles; }

/// Nothing is worth waiting for. Where there is a single session, what runs in it may itself wait for what is to run.
bool SshLoop::hopeless() const {
  if (waiting_sessions_.front()->claim() == Claim::kUrgent) return true;
  if (limit_ > 1) return !somebody_will_close() && !closed_lately();
  return std::none_of(live_.begin(), live_.end(), [](const auto& channel) {
    return channel->type() == "session" && !channel->closed() && channel->abandoned();
  });
}

bool SshLoop::somebody_will_close() const {
  return std::any_of(live_.begin(), live_.end(), [](const auto& channel) {
    return channel->type() == "session" && !channel->closed() &&
           (channel->claim() == Claim::kQueues || channel->claim() == Claim::kUrgent);
  });
}

std::size_t SshLoop::open_sessions() const {
  const auto live = std::count_if(live_.begin(), live_.end(), [](const auto& channel) {
    return channel->type() == "session" && !channel->closed();
  });
  return static_cast<std::size_t>(live) + spares_.size();
}

/// Reading from an idle channel is the only way to make libssh2 look at the socket while no command runs.
Step SshLoop::pump_spares() {
  char byte = 0;
  for (LIBSSH2_CHANNEL* spare : spares_) {
    const ssize_t result = libssh2_channel_read_ex(spare, 0, &byte, 1);
    if (result < 0 && result != LIBSSH2_ERROR_EAGAIN && !is_channel_error(result)) return Step::kBroken;
    if (live_.empty()) break;
  }
  return Step::kIdle;
}

void SshLoop::drop_finished() {
  std::erase_if(live_, [](const auto& channel) { return channel->closed() && channel->abandoned(); });
}

bool SshLoop::reading() const {
  return opening_session_ || opening_tunnel_ || !spares_.empty() ||
         std::any_of(live_.begin(), live_.end(), [](const auto& channel) { return channel->wants_input(); });
}

int SshLoop::poll_timeout() const {
  auto timeout = std::chrono::milliseconds(3'600'000);
  const auto now = Clock::now();
  const auto sooner = [&](Clock::duration wait) {
    timeout = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(wait), std::chrono::milliseconds(1), timeout);
  };
  if (keepalive_.count() != 0) sooner(keepalive_ - (now - quiet_since_) % keepalive_);
  if (!waiting_sessions_.empty()) sooner(retry_at_ > now ? retry_at_ - now : kCloseSettles);
  return static_cast<int>(timeout.count());
}

void SshLoop::wait() {
  const bool blocked = handle_->send_blocked();
  const bool reads = reading();
  std::vector<pollfd> fds;
  const int events = blocked ? POLLOUT : reads ? POLLIN | POLLRDHUP : POLLRDHUP;
  fds.push_back(pollfd{handle_->fd(), static_cast<short>(events), 0});
  fds.push_back(pollfd{link_.wakeup.fd(), POLLIN, 0});
  if (!blocked) {
    for (const auto& channel : live_) channel->add_poll_fds(fds);
  }
  ::poll(fds.data(), fds.size(), poll_timeout());

  if (!blocked && !reads && (fds[0].revents & (POLLRDHUP | POLLERR | POLLHUP)) != 0) {
    broken_ = "the host closed the connection";
  }
  quiet_since_ = reads ? std::max(quiet_since_, handle_->last_received()) : Clock::now();
  keep_alive();
}

/// The peer is dead when a keepalive stays unanswered for two more intervals; a socket that takes no bytes counts as
/// one sent. libssh2 sends none within two seconds of the last.
void SshLoop::keep_alive() {
  if (keepalive_.count() == 0) return;
  const auto now = Clock::now();
  if (asked_at_ && quiet_since_ > *asked_at_) asked_at_.reset();
  if (asked_at_ && now - *asked_at_ >= keepalive_ * (kDeadAfter - 1)) {
    broken_ = fmt::format("no answer for {:.0f} s", std::chrono::duration<double>(now - quiet_since_).count());
  } else if (now - quiet_since_ >= keepalive_) {
    const std::uint64_t sent = handle_->wire_sent();
    int seconds_to_next = 0;
    if (!handle_->send_blocked()) libssh2_keepalive_send(handle_->get(), &seconds_to_next);
    if (!asked_at_ && (handle_->send_blocked() || handle_->wire_sent() != sent)) asked_at_ = now;
  }
}

void SshLoop::break_down(const std::string& cause) {
  const Error error = classify_lost(link_.who, cause.empty() ? "the host closed the connection" : cause);
  for (auto& channel : live_) channel->fail(error);
  for (auto* waiting : {&waiting_sessions_, &waiting_tunnels_}) {
    for (auto& channel : *waiting) channel->fail(error);
  }
  auto inbox = inbox_.lock();
  inbox->broken = error;
  for (auto& channel : inbox->arrivals) channel->fail(error);
}

}  // namespace otto::transport
