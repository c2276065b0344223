// libtelnet parses and answers; its events fill an inbox and an outbox.
//
// The receiving thread never waits, neither for the sending one nor for the socket: what it has to answer is left to a
// sender that is at work, or until the socket takes it. Else two ends with much to send would wait for each other.
#include "transport/telnet/telnet_stream.h"

#include <fmt/format.h>
#include <libtelnet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "transport/classify.h"

namespace otto::transport {
namespace {

constexpr std::size_t kTelnetReadSize = std::size_t{64} * 1024;
constexpr int kMostUnanswered = 3;
constexpr std::string_view kTimingMark = "\xff\xfd\x06";                       // IAC DO TIMING-MARK
constexpr std::string_view kMarkAnswers[] = {"\xff\xfb\x06", "\xff\xfc\x06"};  // IAC WILL, IAC WONT
constexpr telnet_telopt_t kOptions[] = {
    {TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO}, {TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},
    {TELNET_TELOPT_ECHO, TELNET_WONT, TELNET_DO},   {TELNET_TELOPT_TTYPE, TELNET_WILL, TELNET_DONT},
    {TELNET_TELOPT_NAWS, TELNET_WILL, TELNET_DONT}, {-1, 0, 0}};

}  // namespace

TelnetStream::TelnetStream(Fd socket, std::string who, PtyRequest terminal)
    : socket_(std::move(socket)), who_(std::move(who)), terminal_(std::move(terminal)) {
  set_nonblocking(socket_.get());
  // A telnetd that drops what was to be shown (Ctrl-C) says so by IAC DM, whose second byte is urgent: kept in its
  // place, else the IAC takes the next byte along.
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
  telnet_ = telnet_init(kOptions, on_event, 0, this);
  OTTO_CHECK(telnet_ != nullptr);
}

TelnetStream::~TelnetStream() { telnet_free(telnet_); }

void TelnetStream::on_event(telnet_t* telnet, telnet_event_t* event, void* self) {
  auto& stream = *static_cast<TelnetStream*>(self);
  switch (event->type) {
    case TELNET_EV_DATA:
      for (const char c : std::string_view(event->data.buffer, event->data.size)) {
        const bool padding = stream.after_cr_ && c == '\0' && !stream.binary_in_;
        stream.after_cr_ = c == '\r';
        if (!padding) stream.inbox_ += c;
      }
      break;
    case TELNET_EV_SEND: stream.outbox_.append(event->data.buffer, event->data.size); break;
    case TELNET_EV_WILL:
    case TELNET_EV_WONT:
    case TELNET_EV_DO:
    case TELNET_EV_DONT: stream.on_option(*event); break;
    case TELNET_EV_TTYPE:
      if (event->ttype.cmd == TELNET_TTYPE_SEND) telnet_ttype_is(telnet, stream.terminal_.term.c_str());
      break;
    case TELNET_EV_ERROR: stream.failure_ = event->error.msg; break;
    default: break;
  }
}

void TelnetStream::on_option(const telnet_event_t& event) {
  const bool on = event.type == TELNET_EV_WILL || event.type == TELNET_EV_DO;
  const bool ours = event.type == TELNET_EV_DO || event.type == TELNET_EV_DONT;
  if (event.neg.telopt == TELNET_TELOPT_BINARY) (ours ? binary_out_ : binary_in_) = on;
  if (event.neg.telopt == TELNET_TELOPT_NAWS && ours) {
    window_wanted_ = on;
    if (on) send_window();
  }
}

void TelnetStream::send_window() {
  const auto high = [](unsigned n) { return static_cast<char>((n >> 8) & 0xff); };
  const auto low = [](unsigned n) { return static_cast<char>(n & 0xff); };
  const std::array<char, 4> size = {high(terminal_.columns), low(terminal_.columns), high(terminal_.rows),
                                    low(terminal_.rows)};
  telnet_subnegotiation(telnet_, TELNET_TELOPT_NAWS, size.data(), size.size());
}

/// False: the socket is full, and the rest is in the outbox again. The caller holds writing_.
Result<bool> TelnetStream::write_out(const std::stop_token& stop, bool may_wait) {
  for (;;) {
    std::string bytes;
    {
      const std::lock_guard lock(protocol_);
      bytes.swap(outbox_);
    }
    if (bytes.empty()) return true;
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(sent));
        sent_ += static_cast<std::uint64_t>(sent);
      } else if (errno == EAGAIN) {
        if (!may_wait) {
          const std::lock_guard lock(protocol_);
          outbox_.insert(0, rest);
          return false;
        }
        if (wait_for_fd(socket_.get(), POLLOUT, {}, stop) == Ready::kStopped) return interrupted();
      } else if (errno != EINTR) {
        return classify_lost(who_, errno_text(errno));
      }
    }
  }
}

/// `may_leave`: whoever is sending already takes the outbox with it.
Result<void> TelnetStream::flush(const std::stop_token& stop, bool may_leave) {
  for (;;) {
    std::unique_lock lock(writing_, std::defer_lock);
    if (may_leave) {
      if (!lock.try_lock()) return {};
    } else {
      lock.lock();
    }
    OTTO_TRY(const bool all, write_out(stop, !may_leave));
    lock.unlock();
    if (!all || !has_unsent()) return {};
  }
}

bool TelnetStream::has_unsent() {
  const std::lock_guard lock(protocol_);
  return !outbox_.empty();
}

Result<void> TelnetStream::send(std::string_view bytes, const std::stop_token& stop) {
  {
    const std::lock_guard writer(writing_);  // before the outbox has them: these are not for the receiver to send
    std::unique_lock lock(protocol_);
    std::string padded;
    if (!binary_out_ && bytes.find('\r') != std::string_view::npos) {
      for (const char c : bytes) {
        padded += c;
        if (c == '\r') padded += '\0';
      }
      bytes = padded;
    }
    telnet_send(telnet_, bytes.data(), bytes.size());
    lock.unlock();
    OTTO_RETURN_IF_ERROR(write_out(stop, true));
  }
  return flush(stop, true);  // answers that were left to this sender
}

Result<void> TelnetStream::keep_alive(std::chrono::milliseconds interval, const std::stop_token& stop) {
  keepalive_ = interval;
  return interval.count() == 0 ? Result<void>() : ask_for_life(stop);
}

/// libtelnet keeps no state of timing marks, so they pass it by.
Result<void> TelnetStream::ask_for_life(const std::stop_token& stop) {
  {
    const std::lock_guard lock(protocol_);
    outbox_ += kTimingMark;
  }
  return flush(stop, true);
}

Result<std::optional<std::string>> TelnetStream::receive(Deadline deadline, const std::stop_token& stop) {
  std::string buffer(kTelnetReadSize, '\0');
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return std::optional<std::string>();
    if (got < 0 && errno != EAGAIN && errno != EINTR) return classify_lost(who_, errno_text(errno));
    if (got > 0) {
      received_ += static_cast<std::uint64_t>(got);
      unanswered_ = 0;
      for (const std::string_view answer : kMarkAnswers) {
        answers_ = answers_ || std::string_view(buffer.data(), static_cast<std::size_t>(got)).find(answer) !=
                                   std::string_view::npos;
      }
      std::string data;
      {
        const std::lock_guard lock(protocol_);
        telnet_recv(telnet_, buffer.data(), static_cast<std::size_t>(got));
        data.swap(inbox_);
        if (!failure_.empty()) return classify_lost(who_, "telnet: " + failure_);
      }
      OTTO_RETURN_IF_ERROR(flush(stop, true));
      if (!data.empty()) return std::optional(std::move(data));
      continue;
    }
    const bool watch = answers_ && keepalive_.count() != 0;
    Deadline wake = deadline;
    if (watch && (!deadline || Clock::now() + keepalive_ < *deadline)) wake = Clock::now() + keepalive_;
    const short events = has_unsent() ? POLLIN | POLLOUT : POLLIN;
    switch (wait_for_fd(socket_.get(), events, wake, stop)) {
      case Ready::kReady: OTTO_RETURN_IF_ERROR(flush(stop, true)); break;
      case Ready::kTimedOut:
        if (wake == deadline) return timed_out(who_, "waiting for output");
        if (++unanswered_ > kMostUnanswered) return classify_lost(who_, "it does not answer any more");
        OTTO_RETURN_IF_ERROR(ask_for_life(stop));
        break;
      case Ready::kStopped: return interrupted();
    }
  }
}

Result<void> TelnetStream::ask_binary(const std::stop_token& stop) {
  {
    const std::lock_guard lock(protocol_);
    telnet_negotiate(telnet_, TELNET_WILL, TELNET_TELOPT_BINARY);
    telnet_negotiate(telnet_, TELNET_DO, TELNET_TELOPT_BINARY);
  }
  return flush(stop, false);
}

Result<void> TelnetStream::resize(unsigned columns, unsigned rows, const std::stop_token& stop) {
  {
    const std::lock_guard lock(protocol_);
    terminal_.columns = columns;
    terminal_.rows = rows;
    if (window_wanted_) send_window();
  }
  return flush(stop, false);
}

bool TelnetStream::quiet() const {
  pollfd fd{socket_.get(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 0;
}

}  // namespace otto::transport
