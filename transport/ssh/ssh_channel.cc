// What a libssh2 call's result means for its channel and its connection.
//
// See ssh_channel.h.
#include "transport/ssh/ssh_channel.h"

namespace otto::transport {

bool is_channel_error(ssize_t code) {
  switch (code) {
    case LIBSSH2_ERROR_CHANNEL_FAILURE:
    case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
    case LIBSSH2_ERROR_CHANNEL_CLOSED:
    case LIBSSH2_ERROR_CHANNEL_EOF_SENT:
    case LIBSSH2_ERROR_CHANNEL_UNKNOWN:
    case LIBSSH2_ERROR_REQUEST_DENIED:
    case LIBSSH2_ERROR_INVAL: return true;
    default: return false;
  }
}

Step Channel::attempt(SshHandle& handle, int op) {
  if (handle.send_blocked()) return Step::kBlocked;
  const ssize_t result = call(op);
  if (result == LIBSSH2_ERROR_EAGAIN) return Step::kIdle;
  if (result < 0 && !is_channel_error(result)) return Step::kBroken;
  return done(op, result);
}

}  // namespace otto::transport
