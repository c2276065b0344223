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

class SshAnswers;

/// How far the way to a host has been gone.
enum class ConnectStage {
  kResolved,   ///< it is known where the host is; told of every host of the route before anything is contacted
  kConnected,  ///< it listens there
  kHostKey,    ///< its key was accepted; not told of telnet hosts
  kLoggedIn,
};

/// One host of a route, the last one the target, has got so far.
struct ConnectStep {
  std::string host_id;
  ConnectStage stage = ConnectStage::kResolved;
  std::string detail;  ///< for people: the address, the key, how otto logged in; printable
};

/// How connecting may turn to whoever wants it. All are called from the connecting thread only.
struct Interaction {
  /// Asks for a secret without echo (a key's passphrase, a password); empty function or nullopt: there is nobody to
  /// ask.
  std::function<std::optional<std::string>(const std::string& prompt)> ask_secret;
  /// Says something worth knowing: a host key that was recorded, a password file readable by others.
  std::function<void(const std::string& message)> notice;
  /// Told as connecting goes on, in the order of the stages for each host.
  std::function<void(const ConnectStep& step)> on_step = {};
  /// What ssh answered before (ssh_answer.h); null: it is asked each time. Not used once connect() is back.
  SshAnswers* ssh_answers = nullptr;

  void tell(const std::string& host_id, ConnectStage stage, std::string detail) const {
    if (on_step) on_step({host_id, stage, std::move(detail)});
  }
};

/// Connects and logs in. kUnreachable, kTimedOut, kAuthFailed (names every method that was tried), kHostKey (names file
/// and line), kInterrupted, kConfig (a ProxyCommand that cannot be run, a bad key file). The failing hop is named as
/// such.
Result<std::unique_ptr<Transport>> connect(const Route& route, const Interaction& interaction,
                                           std::stop_token stop = {});

}  // namespace otto::transport
