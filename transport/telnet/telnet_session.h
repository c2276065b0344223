// A logged-in telnet connection that takes one command after the other.
//
// Logs in by the dialogue of telnet_login.h, installs the far half of telnet_script.h, and hands its stream to one
// Process at a time. Knows no hops: it is given a connected socket. One owner at a time.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "graph/base/result.h"
#include "transport/address.h"
#include "transport/telnet/telnet_stream.h"

namespace otto::transport {

class TelnetSession {
 public:
  /// kAuthFailed with the server's words, kTimedOut, kUnsupported (no sh or base64 there), kConnectionLost,
  /// kInterrupted.
  static Result<std::unique_ptr<TelnetSession>> log_in(Fd socket, const std::string& who, const Address& address,
                                                       const std::stop_token& stop);

  [[nodiscard]] TelnetStream& stream() { return stream_; }
  [[nodiscard]] const TelnetStream& stream() const { return stream_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  /// The next line of output, without CR and NUL. kConnectionLost where the server has closed; else as receive().
  Result<std::string> read_line(Deadline deadline, const std::stop_token& stop);
  /// Drops everything up to and with `mark`. Errors as read_line().
  Result<void> read_past(std::string_view mark, Deadline deadline, const std::stop_token& stop);
  /// What read_line() has not taken of what has come.
  std::string take_rest() { return std::exchange(pending_, {}); }

 private:
  TelnetSession(Fd socket, const std::string& who);
  Result<void> talk(const Address& address, const std::stop_token& stop);
  Result<void> install(const std::stop_token& stop);

  TelnetStream stream_;
  std::string token_;
  std::string pending_;
};

}  // namespace otto::transport
