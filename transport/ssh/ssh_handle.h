// One libssh2 session with its descriptor: created, counted, freed. Included by .cc files of this folder only.
//
// Owns the socket and the LIBSSH2_SESSION; replaces libssh2's send and recv so that bytes are counted, the errno behind
// a failure is kept, and libssh2 never sees a full socket: what the socket does not take waits here, in order. (After
// an EAGAIN in the middle of a packet libssh2 wants the very same call again, from the same buffer, which for some
// calls is on the stack: an end of input met by a full socket could hang for ever.) A session belongs to one thread at
// a time: the connecting thread until the log-in is done, then its I/O loop for good.
#pragma once

#include <libssh2.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "graph/base/fd.h"
#include "graph/base/result.h"
#include "transport/connect.h"
#include "transport/ssh/ssh_config.h"

namespace otto::transport {

/// libssh2_init(), once.
void ensure_libssh2();

class SshHandle {
 public:
  SshHandle(Fd socket, std::string who);
  ~SshHandle();
  SshHandle(const SshHandle&) = delete;
  SshHandle& operator=(const SshHandle&) = delete;

  [[nodiscard]] LIBSSH2_SESSION* get() const { return session_; }
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] const std::string& who() const { return who_; }
  /// True while bytes wait for the socket: nothing more should be sent until flush() has sent them.
  [[nodiscard]] bool send_blocked() const { return !unsent_.empty(); }
  /// Sends what waits, as far as the socket takes it.
  void flush();
  [[nodiscard]] std::string last_message() const;
  /// Why the socket failed, in a user's words; "" if it did not.
  [[nodiscard]] std::string socket_cause() const;
  /// The peer hung up without saying that it speaks ssh, as sshd does to those whom MaxStartups has no room for.
  [[nodiscard]] bool was_turned_away() const;
  /// The peer ended the connection by a message of its own (SSH_MSG_DISCONNECT), which socket_cause() has.
  [[nodiscard]] bool peer_said_why() const { return !farewell_.empty(); }
  /// The socket failed: what is sent from then on is dropped, as if it had gone out, and a receive tells the error once
  /// what had arrived is read.
  [[nodiscard]] bool send_failed() const { return send_errno_ != 0; }
  /// While muted, nothing is read from the socket: libssh2 sees only the packets that it has queued.
  void mute(bool muted) { muted_ = muted; }
  /// From now on what is sent is dropped and nothing is received, so that every call ends: for taking down.
  void abandon() { abandoned_ = true; }
  [[nodiscard]] std::uint64_t wire_received() const { return received_; }
  [[nodiscard]] std::uint64_t wire_sent() const { return sent_; }
  [[nodiscard]] Clock::time_point last_received() const { return last_received_; }

  /// Makes `call` again and again until it is done (not EAGAIN), waiting for the socket between. The call's last
  /// result; kTimedOut, kInterrupted.
  Result<int> drive(const std::function<int()>& call, Deadline deadline, const std::stop_token& stop,
                    std::string_view doing);

  /// Calls of the agent end with this; they have no other limit, for the agent may ask its user.
  void stop_agent_with(std::stop_token stop) { agent_stop_ = std::move(stop); }

  /// Answers a prompt of keyboard-interactive; set while that method runs, whose callback sees only this handle.
  std::function<std::string(std::string_view prompt)> answer_prompt;

 private:
  static LIBSSH2_SEND_FUNC(on_send);
  static LIBSSH2_RECV_FUNC(on_receive);
  static LIBSSH2_DISCONNECT_FUNC(on_disconnect);

  /// The number of bytes that the socket took; all of them where they are dropped.
  std::size_t send_now(std::string_view bytes);

  ssize_t receive_from_agent(int socket, void* buffer, std::size_t length, int flags) const;

  /// A call that is being driven ends where it must although bytes keep coming (a server that talks without an end).
  [[nodiscard]] bool must_end() const;

  Fd socket_;
  std::string who_;
  Deadline deadline_;        ///< of the call that is being driven
  std::stop_token stopped_;  ///< likewise
  std::stop_token agent_stop_;
  LIBSSH2_SESSION* session_ = nullptr;
  bool muted_ = false;
  bool abandoned_ = false;
  std::string unsent_;  ///< at most what one call sends beyond a full socket: a few packets of 35 KB
  int send_errno_ = 0;
  int receive_errno_ = 0;
  bool peer_closed_ = false;
  std::string farewell_;  ///< the text of the peer's SSH_MSG_DISCONNECT
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  Clock::time_point last_received_ = Clock::now();
};

/// Handshake and host key check. kUnreachable, kTimedOut, kHostKey, kInterrupted.
Result<void> handshake(SshHandle& handle, const ResolvedHost& host, const Interaction& interaction,
                       const std::stop_token& stop);

/// Logs in (ssh_auth.cc). kAuthFailed, naming every way that was tried; kConfig for a bad key file.
Result<void> authenticate(SshHandle& handle, const ResolvedHost& host, const Interaction& interaction,
                          const std::stop_token& stop);

}  // namespace otto::transport
