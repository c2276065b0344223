// From errno and libssh2's numbers to the project's error codes: the one place that decides what failed.
//
// Retryability and exit codes follow from the ErrorCode chosen here, never from matching text later. Messages name the
// host ("'id' (address:port)"), the cause in a user's words, and a hint with the remedy. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto::transport {

/// A TCP connect that failed with errno `number`. kUnreachable, kTimedOut.
Error classify_connect(const std::string& who, int number);
/// A name that getaddrinfo(3) could not resolve. kUnreachable.
Error classify_lookup(const std::string& who, std::string_view host, int gai_error);
/// A libssh2 error `code` with its `message` while shaking hands. `socket_cause`: errno text or "" .
Error classify_handshake(const std::string& who, int code, std::string_view message, std::string_view socket_cause);
/// A hop could not connect further; `cause` is libssh2's. kUnreachable, or as `cause` where it is another matter.
Error classify_tunnel(const std::string& who, const std::string& hop_id, Error cause);
/// An established connection that broke. kConnectionLost.
Error classify_lost(const std::string& who, std::string_view cause);
Error timed_out(const std::string& who, std::string_view doing);
Error interrupted();

}  // namespace otto::transport
