// The way to a host through others: every hop a session of its own, each nested in a tunnel of the one before.
//
// Resolves each Address (ssh_config.h), adds ProxyJump hops where the route names none, refuses cycles, and names the
// hop that fails. Owns all sessions; they are taken down from the far end.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "graph/base/fd.h"
#include "graph/base/result.h"
#include "transport/address.h"
#include "transport/connect.h"
#include "transport/ssh/ssh_session.h"

namespace otto::transport {

/// All hosts of a route in order of connecting, the target last. kConfig: a cycle, a hop that is no ssh host, or an
/// unusable proxy setting. `answers` may be null.
Result<std::vector<ResolvedHost>> resolve_route(const Route& route, SshAnswers* answers, const std::stop_token& stop);

/// Tells where each of the hosts is (ConnectStage::kResolved).
void announce_route(const std::vector<ResolvedHost>& hosts, const Interaction& interaction);

class HopChain {
 public:
  static Result<HopChain> connect(const std::vector<ResolvedHost>& hosts, const Interaction& interaction,
                                  const std::stop_token& stop);
  HopChain(HopChain&&) = default;
  HopChain& operator=(HopChain&&) = delete;
  ~HopChain();

  [[nodiscard]] SshSession& last() { return *sessions_.back(); }
  [[nodiscard]] const SshSession& last() const { return *sessions_.back(); }

 private:
  HopChain() = default;
  /// `before`: the id of the hop that leads there; empty: none.
  Result<Fd> reach(const ResolvedHost& host, const std::string& before, const std::string& who,
                   const std::stop_token& stop);
  Result<void> log_in(const std::vector<ResolvedHost>& hosts, std::size_t i, const Interaction& interaction,
                      const std::stop_token& stop);
  std::vector<std::unique_ptr<SshSession>> sessions_;
};

}  // namespace otto::transport
