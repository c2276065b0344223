// What occupies one channel of an ssh session: stepped by the session's I/O loop, never by another thread.
//
// Each libssh2 call of a channel is an "op", made by attempt(), which sends nothing more once the socket is full.
// Included by .cc files of this folder only.
#pragma once

#include <libssh2.h>
#include <poll.h>

#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "transport/ssh/ssh_handle.h"
#include "transport/transport.h"

namespace otto::transport {

enum class Step {
  kIdle,     ///< nothing to do until something arrives or is asked for
  kMore,     ///< could go on at once: the loop must come back without waiting
  kBlocked,  ///< the socket is full: nobody's turn before it takes more
  kBroken,   ///< the connection is gone
};

/// What a session channel fails with where its connection has no room for it and will have none: another may.
constexpr ErrorCode kNoRoom = ErrorCode::kUnsupported;

/// True for the libssh2 errors after which only this channel, not the connection, is lost.
bool is_channel_error(ssize_t code);

class Channel {
 public:
  virtual ~Channel() = default;

  /// "session" or "direct-tcpip", and what follows it in SSH_MSG_CHANNEL_OPEN.
  [[nodiscard]] virtual std::string_view type() const = 0;
  [[nodiscard]] virtual std::string_view open_message() const { return {}; }
  [[nodiscard]] virtual Claim claim() const = 0;

  virtual void opened(LIBSSH2_CHANNEL* channel) = 0;
  /// It could not be opened, or the connection broke. No step() follows.
  virtual void fail(const Error& error) = 0;
  virtual Step step(SshHandle& handle) = 0;
  /// True while bytes from the socket could be of use.
  [[nodiscard]] virtual bool wants_input() = 0;
  /// Further descriptors to wait for.
  virtual void add_poll_fds(std::vector<pollfd>& fds) const { static_cast<void>(fds); }
  /// The remote side of the channel is gone: it no longer counts.
  [[nodiscard]] virtual bool closed() const = 0;
  /// Nobody needs the object any more.
  [[nodiscard]] virtual bool abandoned() = 0;

 protected:
  /// One libssh2 call of this channel.
  virtual ssize_t call(int op) = 0;
  /// Its result, never EAGAIN.
  virtual Step done(int op, ssize_t result) = 0;

  /// kBlocked without a call where the socket is full already.
  Step attempt(SshHandle& handle, int op);
};

}  // namespace otto::transport
