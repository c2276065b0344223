// The Transport to a host by telnet: for old machines and consoles that have nothing else.
//
// Each running command has a telnet session of its own; sessions that are done wait for the next command. Unencrypted
// and unauthenticated, as telnet is; through an ssh hop at least the way to there is not. Signals cannot be sent: jobs
// are ended by the supervisor (remote.h). Owns the hops.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "graph/base/sync.h"
#include "transport/address.h"
#include "transport/connect.h"
#include "transport/ssh/hop_chain.h"
#include "transport/telnet/telnet_session.h"
#include "transport/transport.h"

namespace otto::transport {

class TelnetTransport final : public Transport {
 public:
  /// Connects, through the route's hops, and logs in once. As connect().
  static Result<std::unique_ptr<TelnetTransport>> connect(const Route& route, const Interaction& interaction,
                                                          const std::stop_token& stop);

  Result<std::unique_ptr<Process>> start(const Command& command, std::stop_token stop) override;
  [[nodiscard]] const std::string& host_id() const override { return address_.id; }
  [[nodiscard]] Counters counters() const override { return {sent_.load(), received_.load()}; }

 private:
  friend class TelnetProcess;
  friend class TelnetPtyProcess;
  explicit TelnetTransport(Address address) : address_(std::move(address)) {}

  Result<std::unique_ptr<TelnetSession>> open(const Interaction& interaction, const std::stop_token& stop);
  Result<std::unique_ptr<TelnetSession>> idle_or_open(const std::stop_token& stop);
  /// The session's command is over: `reusable` sessions wait for the next.
  void give_back(std::unique_ptr<TelnetSession> session, const Counters& before, bool reusable);

  Address address_;
  std::optional<HopChain> hops_;
  std::string last_hop_;
  Sync<std::vector<std::unique_ptr<TelnetSession>>> idle_;
  std::atomic<std::uint64_t> sent_{0}, received_{0};
};

}  // namespace otto::transport
