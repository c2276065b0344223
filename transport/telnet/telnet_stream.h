// One telnet connection as a stream of bytes: the protocol (RFC 854, libtelnet) is seen here and nowhere else.
//
// Refuses every option but those needed: binary, suppress-go-ahead, echo by the server, terminal type, window size.
// Line ends are the caller's, but for the NUL after a CR, which is added and removed here while the line is not binary.
// Owns the socket. One thread may send while another receives.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "graph/base/fd.h"
#include "graph/base/result.h"
#include "transport/transport.h"

struct telnet_t;  // libtelnet.h
union telnet_event_t;

namespace otto::transport {

class TelnetStream {
 public:
  /// `who`: for messages. `term`: what the server is told.
  TelnetStream(Fd socket, std::string who, PtyRequest terminal);
  ~TelnetStream();
  TelnetStream(const TelnetStream&) = delete;
  TelnetStream& operator=(const TelnetStream&) = delete;

  /// kConnectionLost, kInterrupted.
  Result<void> send(std::string_view bytes, const std::stop_token& stop);
  /// Some bytes; nullopt: the server has closed. kTimedOut, kConnectionLost, kInterrupted.
  Result<std::optional<std::string>> receive(Deadline deadline, const std::stop_token& stop);
  /// Asks for eight clean bits each way.
  Result<void> ask_binary(const std::stop_token& stop);
  Result<void> resize(unsigned columns, unsigned rows, const std::stop_token& stop);
  /// Asks a server that has been silent for so long for a sign of life (RFC 860, timing mark); three without an answer
  /// are the end of the connection. Servers that do not know the question are not judged by it. Zero: never.
  Result<void> keep_alive(std::chrono::milliseconds interval, const std::stop_token& stop);
  /// Nothing has come since the last receive(), nor has the server closed.
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] const std::string& who() const { return who_; }
  [[nodiscard]] Counters counters() const { return {sent_.load(), received_.load()}; }

 private:
  static void on_event(telnet_t* telnet, telnet_event_t* event, void* self);
  void on_option(const telnet_event_t& event);
  void send_window();
  Result<void> ask_for_life(const std::stop_token& stop);
  Result<void> flush(const std::stop_token& stop, bool may_leave);
  Result<bool> write_out(const std::stop_token& stop, bool may_wait);
  [[nodiscard]] bool has_unsent();

  Fd socket_;
  std::string who_;
  PtyRequest terminal_;
  std::mutex protocol_;  // telnet_, outbox_ and the flags
  telnet_t* telnet_ = nullptr;
  std::string inbox_, outbox_, failure_;
  bool binary_out_ = false, binary_in_ = false, window_wanted_ = false, after_cr_ = false;
  std::chrono::milliseconds keepalive_{0};
  bool answers_ = false;  // the receiver's, as the rest of the line
  int unanswered_ = 0;
  std::mutex writing_;
  std::atomic<std::uint64_t> sent_{0}, received_{0};
};

}  // namespace otto::transport
