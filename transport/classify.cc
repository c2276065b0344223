// The tables behind classify.h.
//
// libssh2 codes are from libssh2.h 1.11.1.
#include "transport/classify.h"

#include <fmt/format.h>
#include <libssh2.h>
#include <netdb.h>

#include <cerrno>

#include "graph/base/fd.h"
#include "graph/base/text.h"

namespace otto::transport {

Error classify_connect(const std::string& who, int number) {
  switch (number) {
    case ECONNREFUSED:
      return make_error(ErrorCode::kUnreachable, fmt::format("{}: connection refused", who),
                        "the host is up but nothing listens on that port: check the port, and that sshd runs");
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return make_error(ErrorCode::kUnreachable, fmt::format("{}: {}", who, text::to_lower(errno_text(number))),
                        "check the address, the VPN or network, and whether the host needs a hop");
    case ETIMEDOUT: return timed_out(who, "connecting");
    default:
      return make_error(ErrorCode::kUnreachable,
                        fmt::format("{}: cannot connect: {}", who, text::to_lower(errno_text(number))),
                        "check the address and port in hosts.json");
  }
}

Error classify_lookup(const std::string& who, std::string_view host, int gai_error) {
  return make_error(ErrorCode::kUnreachable,
                    fmt::format("{}: cannot resolve '{}': {}", who, host, text::to_lower(::gai_strerror(gai_error))),
                    "check \"ip\" in hosts.json and the name service");
}

Error timed_out(const std::string& who, std::string_view doing) {
  return make_error(ErrorCode::kTimedOut, fmt::format("{}: timed out while {}", who, doing),
                    "check that the host is up and reachable from here; connect_timeout sets how long otto waits");
}

Error interrupted() { return make_error(ErrorCode::kInterrupted, "interrupted"); }

Error classify_lost(const std::string& who, std::string_view cause) {
  return make_error(ErrorCode::kConnectionLost, fmt::format("{}: connection lost: {}", who, cause),
                    "run the command again; what was done is kept");
}

Error classify_tunnel(const std::string& who, const std::string& hop_id, Error cause) {
  switch (cause.code) {
    case ErrorCode::kUnreachable:
      return make_error(
          ErrorCode::kUnreachable,
          fmt::format("{}: cannot be reached from hop '{}': {}", who, hop_id,
                      text::to_lower(text::printable(cause.message))),
          fmt::format("check the address as '{}' sees it, and AllowTcpForwarding in its sshd_config", hop_id));
    case ErrorCode::kTimedOut: return timed_out(who, fmt::format("connecting from hop '{}'", hop_id));
    default: return cause;
  }
}

Error classify_handshake(const std::string& who, int code, std::string_view message, std::string_view socket_cause) {
  switch (code) {
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
      return make_error(
          ErrorCode::kUnreachable, fmt::format("{}: no common algorithms: {}", who, message),
          "`ssh -vv` shows what the server has; KexAlgorithms, HostKeyAlgorithms, Ciphers and MACs of the "
          "ssh configuration are honoured, as far as otto's ssh library has them");
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
    case LIBSSH2_ERROR_HOSTKEY_INIT:
    case LIBSSH2_ERROR_HOSTKEY_SIGN:
      return make_error(ErrorCode::kUnreachable, fmt::format("{}: key exchange failed ({})", who, message));
    case LIBSSH2_ERROR_BANNER_RECV:
    case LIBSSH2_ERROR_BANNER_SEND:
    case LIBSSH2_ERROR_SOCKET_RECV:
    case LIBSSH2_ERROR_SOCKET_SEND:
    case LIBSSH2_ERROR_SOCKET_DISCONNECT:
      return make_error(
          ErrorCode::kUnreachable,
          fmt::format("{}: the ssh handshake was cut short: {}", who, socket_cause.empty() ? message : socket_cause),
          "is an ssh server listening on that port? sshd also drops connections beyond MaxStartups");
    case LIBSSH2_ERROR_OUT_OF_BOUNDARY:
      return make_error(ErrorCode::kUnreachable,
                        fmt::format("{}: the server sent more at once than otto's ssh library takes", who),
                        "is its Banner (sshd_config) longer than 32 KB?");
    default:
      if (!socket_cause.empty()) {
        return make_error(ErrorCode::kUnreachable,
                          fmt::format("{}: the ssh handshake was cut short: {}", who, socket_cause),
                          "is an ssh server listening on that port? sshd also drops connections beyond MaxStartups");
      }
      return make_error(ErrorCode::kUnreachable,
                        fmt::format("{}: the ssh handshake failed: {} (libssh2 {})", who, message, code));
  }
}

}  // namespace otto::transport
