// The I/O loop of one ssh connection: the only thread that touches its libssh2 session after the log-in.
//
// Other threads hand it channels (post) and notify its wake-up; it opens, steps and closes them, keeps the connection
// alive and notices when the peer is gone. Never more than kMostSessions session channels are open, and fewer where the
// server has refused one; the rest waits in order. Owns handle and channels. Included by .cc files of this folder only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "graph/base/sync.h"
#include "transport/ssh/ssh_channel.h"
#include "transport/ssh/ssh_exec.h"

namespace otto::transport {

class SshLoop {
 public:
  /// `spares`: session channels to hold open in advance, so that a command costs one round trip instead of two.
  SshLoop(std::unique_ptr<SshHandle> handle, std::chrono::milliseconds keepalive, int spares);
  ~SshLoop();
  SshLoop(const SshLoop&) = delete;
  SshLoop& operator=(const SshLoop&) = delete;

  /// Takes the channel over: it is opened when there is room, or failed.
  void post(std::unique_ptr<Channel> channel);
  [[nodiscard]] LoopLink& link() { return link_; }

 private:
  struct Inbox {
    std::vector<std::unique_ptr<Channel>> arrivals;
    std::optional<Error> broken;
  };

  void run(const std::stop_token& stop);
  Step turn();
  void accept_arrivals();
  Step open_channels();
  Step open_tunnel();
  Step open_session();
  void hand_out(LIBSSH2_CHANNEL* channel);
  void session_refused();
  void fail_next_session();
  void note_closed_sessions();
  void drop_finished();
  Step pump_spares();
  void wait();
  void keep_alive();
  [[nodiscard]] int poll_timeout() const;
  [[nodiscard]] std::size_t open_sessions() const;
  [[nodiscard]] bool may_open_session() const;
  [[nodiscard]] bool hopeless() const;
  [[nodiscard]] bool somebody_will_close() const;
  [[nodiscard]] bool closed_lately() const;
  [[nodiscard]] bool reading() const;
  void break_down(const std::string& cause);

  LoopLink link_;
  std::unique_ptr<SshHandle> handle_;
  const std::chrono::milliseconds keepalive_;
  Sync<Inbox> inbox_;

  std::vector<std::unique_ptr<Channel>> live_;
  std::deque<std::unique_ptr<Channel>> waiting_sessions_;
  std::deque<std::unique_ptr<Channel>> waiting_tunnels_;
  std::vector<LIBSSH2_CHANNEL*> spares_;
  std::size_t spares_wanted_;
  std::size_t limit_;        ///< sessions the server is known to take
  std::size_t counted_ = 0;  ///< open sessions when last looked
  Clock::time_point last_close_{};
  Clock::time_point retry_at_{};
  std::chrono::milliseconds backoff_{};
  bool opening_session_ = false;
  bool opening_tunnel_ = false;
  std::size_t first_ = 0;  ///< whose turn is first: rotates for fairness
  Clock::time_point quiet_since_ = Clock::now();
  Deadline asked_at_;  ///< when the keepalive went out that is still unanswered
  std::optional<std::string> broken_;
  std::jthread thread_;
};

}  // namespace otto::transport
