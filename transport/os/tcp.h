// TCP connections: names resolved, every address tried, deadline and stop honoured throughout.
//
// IPv6 and IPv4 as the resolver orders them; an address that swallows packets cannot use up the time of the others.
// Knows nothing of ssh. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "graph/base/fd.h"
#include "graph/base/result.h"

namespace otto::transport {

enum class AddressFamily { kAny, kIpv4, kIpv6 };

/// What a connection is made with on this side.
struct LocalEnd {
  AddressFamily family = AddressFamily::kAny;
  std::optional<std::string> address;  ///< a name or number of this machine; absent: the kernel's choice
};

/// A connected, non-blocking socket with TCP_NODELAY. kUnreachable, kTimedOut, kInterrupted, kConfig (a local address
/// that is none of this machine); `who` names the host.
Result<Fd> connect_tcp(const std::string& who, const std::string& host, std::uint16_t port,
                       std::chrono::milliseconds timeout, const std::stop_token& stop, const LocalEnd& local = {});

}  // namespace otto::transport
