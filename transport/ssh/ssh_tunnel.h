// A TCP connection through an ssh host (direct-tcpip, RFC 4254, 7.2), pumped to one end of a local socket pair.
//
// The next session of a hop chain uses the other end as its socket and runs its own loop on it, so no session ever
// waits for another's thread. Closing either end closes the channel. Included by .cc files of this folder only.
#pragma once

#include <atomic>
#include <optional>

#include "graph/base/sync.h"
#include "transport/ssh/ssh_channel.h"

namespace otto::transport {

class TunnelChannel final : public Channel {
 public:
  TunnelChannel(std::string host, std::uint16_t port, Fd local_end);

  /// Waits until the host has connected. kUnreachable with its reason, kTimedOut, kInterrupted.
  Result<void> wait_open(Deadline deadline, const std::stop_token& stop);
  /// Nobody will call wait_open() again.
  void release();

  [[nodiscard]] std::string_view type() const override { return "direct-tcpip"; }
  [[nodiscard]] std::string_view open_message() const override { return message_; }
  [[nodiscard]] Claim claim() const override { return Claim::kStays; }
  void opened(LIBSSH2_CHANNEL* channel) override;
  void fail(const Error& error) override;
  Step step(SshHandle& handle) override;
  [[nodiscard]] bool wants_input() override { return !closed(); }
  void add_poll_fds(std::vector<pollfd>& fds) const override;
  [[nodiscard]] bool closed() const override { return gone_; }
  [[nodiscard]] bool abandoned() override { return state_.lock()->released; }

 private:
  enum Op { kRead, kWrite, kClose, kFree };
  struct State {
    bool open = false;
    bool released = false;
    std::optional<Error> failure;
  };

  ssize_t call(int op) override;
  Step done(int op, ssize_t result) override;
  Step pump_to_local(SshHandle& handle);
  Step pump_to_remote(SshHandle& handle);
  bool flush_local();
  bool fill_from_local();

  std::string message_;
  Fd local_;
  Sync<State> state_;
  std::condition_variable_any changed_;

  LIBSSH2_CHANNEL* channel_ = nullptr;
  std::string read_buffer_;
  std::string to_local_;
  std::size_t to_local_offset_ = 0;
  std::string to_remote_;
  std::size_t to_remote_offset_ = 0;
  bool local_ended_ = false;
  bool closing_ = false;
  bool gone_ = false;
};

}  // namespace otto::transport
