// A logged-in ssh connection: starts commands, opens tunnels to further hosts.
//
// Facade of the I/O loop (ssh_loop.h), without libssh2 in sight. Any thread. Must outlive the Processes it started.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "graph/base/fd.h"
#include "graph/base/result.h"
#include "transport/connect.h"
#include "transport/ssh/ssh_config.h"
#include "transport/transport.h"

namespace otto::transport {

class SshLoop;

class SshSession {
 public:
  /// Handshake, host key, log-in over a connected socket. `hop`: it will carry tunnels, not commands. `turned_away`:
  /// told of a failure that may be gone a little later. Errors as connect().
  static Result<std::unique_ptr<SshSession>> log_in(Fd socket, const ResolvedHost& host, std::string who, bool hop,
                                                    const Interaction& interaction, const std::stop_token& stop,
                                                    bool& turned_away);
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  Result<std::unique_ptr<Process>> start(const Command& command, const std::stop_token& stop);
  /// A socket that is connected, through this host, to `host`:`port`. kUnreachable, kTimedOut, kInterrupted.
  Result<Fd> open_tunnel(const std::string& host, std::uint16_t port, Deadline deadline, const std::stop_token& stop);
  [[nodiscard]] Counters counters() const;

 private:
  explicit SshSession(std::unique_ptr<SshLoop> loop);
  std::unique_ptr<SshLoop> loop_;
};

}  // namespace otto::transport
