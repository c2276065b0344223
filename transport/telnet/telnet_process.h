// A command in a telnet session: framed (streams apart, exit status), or on the terminal itself.
//
// Included by telnet_transport.cc only. As Process: one thread may write while another reads.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "transport/telnet/telnet_session.h"
#include "transport/telnet/telnet_transport.h"

namespace otto::transport {

class TelnetProcess final : public Process {
 public:
  /// `session` has been sent the command.
  TelnetProcess(TelnetTransport& transport, std::unique_ptr<TelnetSession> session, Counters before)
      : transport_(transport), session_(std::move(session)), before_(before) {}
  ~TelnetProcess() override;
  TelnetProcess(const TelnetProcess&) = delete;
  TelnetProcess& operator=(const TelnetProcess&) = delete;

  Result<void> write(std::string_view bytes, std::stop_token stop) override;
  Result<void> close_stdin() override;
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override;
  Result<ExitStatus> wait(std::stop_token stop) override;
  Result<void> signal(std::string_view name) override;
  Result<void> resize(unsigned columns, unsigned rows) override;

 private:
  std::optional<Chunk> take_frame(const std::string& line);
  Result<void> end_input(const std::stop_token& stop);

  TelnetTransport& transport_;
  std::unique_ptr<TelnetSession> session_;
  Counters before_;
  bool out_ended_ = false, err_ended_ = false;
  std::optional<int> code_;
  std::mutex input_;  // guards what follows; held while sending
  bool input_ended_ = false, broken_ = false;
};

class TelnetPtyProcess final : public Process {
 public:
  TelnetPtyProcess(TelnetTransport& transport, std::unique_ptr<TelnetSession> session, Counters before)
      : transport_(transport), session_(std::move(session)), before_(before) {}
  ~TelnetPtyProcess() override;
  TelnetPtyProcess(const TelnetPtyProcess&) = delete;
  TelnetPtyProcess& operator=(const TelnetPtyProcess&) = delete;

  Result<void> write(std::string_view bytes, std::stop_token stop) override;
  Result<void> close_stdin() override { return write("\x04", {}); }  // as the terminal's own end of file
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override;
  Result<ExitStatus> wait(std::stop_token stop) override;
  Result<void> signal(std::string_view name) override;
  Result<void> resize(unsigned columns, unsigned rows) override;

 private:
  TelnetTransport& transport_;
  std::unique_ptr<TelnetSession> session_;
  Counters before_;
  std::string held_;
  std::optional<int> code_;
};

}  // namespace otto::transport
