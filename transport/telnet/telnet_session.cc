// The dialogue driven by a clock: a server that has been silent for a moment has said what it wanted.
//
// The limits are for machines under load; a server that answers at once is waited for a moment at each prompt only.
#include "transport/telnet/telnet_session.h"

#include <fmt/format.h>

#include "transport/bootstrap.h"
#include "transport/classify.h"
#include "transport/telnet/telnet_login.h"
#include "transport/telnet/telnet_script.h"

namespace otto::transport {
namespace {

constexpr std::chrono::milliseconds kMoment{80};
constexpr std::chrono::seconds kLoginLimit{40};
constexpr std::chrono::seconds kKeepalive{15};

}  // namespace

TelnetSession::TelnetSession(Fd socket, const std::string& who)
    : stream_(std::move(socket), who, PtyRequest{"dumb", 80, 24}), token_(random_token()) {}

Result<std::unique_ptr<TelnetSession>> TelnetSession::log_in(Fd socket, const std::string& who, const Address& address,
                                                             const std::stop_token& stop) {
  std::unique_ptr<TelnetSession> session(new TelnetSession(std::move(socket), who));
  OTTO_RETURN_IF_ERROR(session->talk(address, stop));
  OTTO_RETURN_IF_ERROR(session->stream_.keep_alive(address.keepalive_interval.value_or(kKeepalive), stop));
  OTTO_RETURN_IF_ERROR(session->install(stop));
  return session;
}

Result<void> TelnetSession::talk(const Address& address, const std::stop_token& stop) {
  const std::string& who = stream_.who();
  const std::string user = address.user.value_or("");
  const auto refused = [&](const std::string& why) {
    return make_error(ErrorCode::kAuthFailed, fmt::format("{} refuses the log-in as '{}': {}", who, user, why),
                      "check user and password in \"creds\" of hosts.json, or \"password_env\"");
  };
  const std::string answer = telnet_probe_answer(token_);
  LoginDialogue dialogue(answer);
  const auto deadline = Clock::now() + kLoginLimit;
  while (Clock::now() < deadline) {
    auto heard = stream_.receive(Clock::now() + kMoment, stop);
    LoginStep step = LoginStep::kWait;
    if (heard.ok() && !*heard) {
      if (!dialogue.asked()) return classify_lost(who, "the server closed it during the log-in");
      return refused(fmt::format("it closed the connection after '{}'", dialogue.said()));
    }
    if (heard.ok()) {
      step = dialogue.heard(**heard);
    } else if (heard.error().code == ErrorCode::kTimedOut) {
      step = dialogue.silent();
    } else {
      return std::move(heard).error();
    }
    switch (step) {
      case LoginStep::kWait: break;
      case LoginStep::kReady: return {};
      case LoginStep::kTypeUser:
        if (user.empty()) return refused("it asks for a user, and hosts.json names none");
        OTTO_RETURN_IF_ERROR(stream_.send(user + "\r", stop));
        break;
      case LoginStep::kTypePassword:
        if (!address.password) return refused("it asks for a password, and hosts.json names none");
        OTTO_RETURN_IF_ERROR(stream_.send(*address.password + "\r", stop));
        break;
      case LoginStep::kTypeProbe: OTTO_RETURN_IF_ERROR(stream_.send(telnet_probe(token_), stop)); break;
      case LoginStep::kRefused: return refused(dialogue.said());
    }
  }
  Error late = timed_out(who, "logging in by telnet");
  late.message += fmt::format("; its last words: '{}'", dialogue.said());
  return late;
}

Result<void> TelnetSession::install(const std::stop_token& stop) {
  OTTO_RETURN_IF_ERROR(stream_.send(telnet_prelude(token_), stop));
  const auto deadline = Clock::now() + kLoginLimit;
  for (;;) {
    OTTO_TRY(const std::string line, read_line(deadline, stop));
    if (line.starts_with("r")) return {};  // not ==: a false warning of g++ 12
    if (line.starts_with("n ")) {
      return make_error(ErrorCode::kUnsupported,
                        fmt::format("{} has no {}, which commands by telnet need", stream_.who(), line.substr(2)),
                        "install coreutils or busybox there, or use term \"ssh\"");
    }
  }
}

Result<std::string> TelnetSession::read_line(Deadline deadline, const std::stop_token& stop) {
  for (;;) {
    const std::size_t feed = pending_.find('\n');
    if (feed != std::string::npos) {
      std::string line = pending_.substr(0, feed);
      pending_.erase(0, feed + 1);
      std::erase_if(line, [](char c) { return c == '\r' || c == '\0'; });
      return line;
    }
    OTTO_TRY(auto bytes, stream_.receive(deadline, stop));
    if (!bytes) return classify_lost(stream_.who(), "the server closed it");
    pending_ += *bytes;
  }
}

Result<void> TelnetSession::read_past(std::string_view mark, Deadline deadline, const std::stop_token& stop) {
  for (;;) {
    const std::size_t at = pending_.find(mark);
    if (at != std::string::npos) {
      pending_.erase(0, at + mark.size());
      return {};
    }
    OTTO_TRY(auto bytes, stream_.receive(deadline, stop));
    if (!bytes) return classify_lost(stream_.who(), "the server closed it");
    pending_ += *bytes;
  }
}

}  // namespace otto::transport
