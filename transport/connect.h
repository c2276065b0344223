// The one door to a connected host: resolves ssh configuration, walks the hops, logs in.
//
// Picks the implementation by the target's protocol. Must not know hosts.json or labs: it gets a Route.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "graph/base/result.h"
#include "transport/address.h"
#include "transport/transport.h"

namespace otto::transport {

/// How a connection may turn to the user. Both are called from the connecting thread only.
struct Interaction {
  /// Asks for a secret without echo (a key's passphrase, a password); empty function or nullopt: there is nobody to
  /// ask.
  std::function<std::optional<std::string>(const std::string& prompt)> ask_secret;
  /// Says something worth knowing: a host key that was recorded, a password file readable by others.
  std::function<void(const std::string& message)> notice;
};

/// Connects and logs in. kUnreachable, kTimedOut, kAuthFailed (names every method that was tried), kHostKey (names file
/// and line), kInterrupted, kConfig (a ProxyCommand that cannot be run, a bad key file). The failing hop is named as
/// such.
Result<std::unique_ptr<Transport>> connect(const Route& route, const Interaction& interaction,
                                           std::stop_token stop = {});

}  // namespace otto::transport
