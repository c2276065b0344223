// Resolving a route and connecting along it.
//
// A ProxyJump of ~/.ssh/config counts only where the route itself names no hop, for the host it stands at; the first
// jump may have one of its own, as with ssh. Nothing is connected before the whole route is resolved.
#include "transport/ssh/hop_chain.h"

#include <fmt/format.h>

#include <condition_variable>
#include <optional>
#include <random>

#include "graph/base/clock.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"
#include "transport/classify.h"
#include "transport/os/tcp.h"
#include "transport/ssh/proxy_command.h"
#include "transport/ssh/ssh_answer.h"

namespace otto::transport {
namespace {

constexpr std::size_t kMostHops = 16;

Result<void> prepend_jumps(std::vector<ResolvedHost>& hosts, SshAnswers* answers, const std::stop_token& stop) {
  while (!hosts.front().proxy_jumps.empty()) {
    const std::vector<Address> jumps = std::exchange(hosts.front().proxy_jumps, {});
    std::vector<ResolvedHost> before;
    for (const auto& jump : jumps) {
      OTTO_TRY(auto resolved, resolve_host(jump, answers, stop));
      if (!before.empty()) resolved.proxy_jumps.clear();
      before.push_back(std::move(resolved));
    }
    hosts.insert(hosts.begin(), std::make_move_iterator(before.begin()), std::make_move_iterator(before.end()));
    if (hosts.size() > kMostHops) {
      return make_error(ErrorCode::kConfig,
                        fmt::format("host '{}': the way there has more than {} hops; ProxyJump in ~/.ssh/config may "
                                    "lead in a circle",
                                    hosts.back().id, kMostHops));
    }
  }
  return {};
}

Result<void> refuse_cycle(const std::vector<ResolvedHost>& hosts) {
  std::vector<std::string> path;
  for (const auto& host : hosts) path.push_back(host.id);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    for (std::size_t j = i + 1; j < hosts.size(); ++j) {
      const bool same =
          hosts[i].id == hosts[j].id ||
          (hosts[i].host == hosts[j].host && hosts[i].port == hosts[j].port && hosts[i].user == hosts[j].user);
      if (!same) continue;
      return make_error(
          ErrorCode::kConfig,
          fmt::format("host '{}': its hops lead in a circle: {}", hosts.back().id, text::join(path, " -> ")),
          "correct \"hop\" in hosts.json or ProxyJump in ~/.ssh/config");
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ResolvedHost>> resolve_route(const Route& route, SshAnswers* answers, const std::stop_token& stop) {
  std::vector<Address> named = route.via;
  named.push_back(route.target);
  std::vector<ResolvedHost> hosts;
  for (const auto& address : named) {
    if (address.protocol != Protocol::kSsh) {
      return make_error(
          ErrorCode::kConfig,
          fmt::format("host '{}' cannot be reached: its hop '{}' is no ssh host", route.target.id, address.id),
          "a hop needs term \"ssh\"");
    }
    OTTO_TRY(auto resolved, resolve_host(address, answers, stop));
    if (!hosts.empty()) {
      resolved.proxy_jumps.clear();
      resolved.proxy_command.reset();
    }
    hosts.push_back(std::move(resolved));
  }
  OTTO_RETURN_IF_ERROR(prepend_jumps(hosts, answers, stop));
  OTTO_RETURN_IF_ERROR(refuse_cycle(hosts));
  return hosts;
}

void announce_route(const std::vector<ResolvedHost>& hosts, const Interaction& interaction) {
  for (const ResolvedHost& host : hosts) {
    std::string where = fmt::format("{}@{}:{}", host.user, host.host, host.port);
    if (host.proxy_command) where += " by a ProxyCommand";
    interaction.tell(host.id, ConnectStage::kResolved, text::printable(where));
  }
}

/// A socket to a host of the route: through the one before, by a command, or directly.
Result<Fd> HopChain::reach(const ResolvedHost& host, const std::string& before, const std::string& who,
                           const std::stop_token& stop) {
  if (!before.empty()) {
    auto tunnel = last().open_tunnel(host.host, host.port, Clock::now() + host.connect_timeout, stop);
    if (!tunnel) return classify_tunnel(who, before, std::move(tunnel).error());
    return tunnel;
  }
  if (host.proxy_command) return start_proxy_command(*host.proxy_command);
  return connect_tcp(who, host.host, host.port, host.connect_timeout, stop, host.local_end);
}

/// Whoever is turned away asks again a little later, for as long as connecting may take: beyond its MaxStartups sshd
/// hangs up on some of those who come at once. Where time runs out over that, it is told that they were turned away.
Result<void> HopChain::log_in(const std::vector<ResolvedHost>& hosts, std::size_t i, const Interaction& interaction,
                              const std::stop_token& stop) {
  constexpr unsigned kAttempts = 6, kFirstPauseMs = 100;
  ResolvedHost host = hosts[i];  // with the time that is left
  const std::string before = i > 0 ? hosts[i - 1].id : std::string();
  const bool hop = i + 1 < hosts.size();
  const std::string who = hop ? "hop " + host.describe() : host.describe();
  const auto until = Clock::now() + host.connect_timeout;
  std::optional<Error> turned_away;
  std::minstd_rand random(std::random_device{}());
  for (unsigned attempt = 1;; ++attempt) {
    auto socket = reach(host, before, who, stop);
    if (!socket.ok()) {
      return turned_away && socket.error().code == ErrorCode::kTimedOut ? *turned_away : std::move(socket).error();
    }
    if (attempt == 1) {
      interaction.tell(host.id, ConnectStage::kConnected,
                       i > 0 ? fmt::format("reached from hop '{}'", before) : "reached");
    }
    bool is_turned_away = false;
    auto session = SshSession::log_in(std::move(socket).value(), host, who, hop, interaction, stop, is_turned_away);
    if (session.ok()) {
      sessions_.push_back(std::move(session).value());
      return {};
    }
    if (!is_turned_away) {
      return turned_away && session.error().code == ErrorCode::kTimedOut ? *turned_away : std::move(session).error();
    }
    turned_away = std::move(session).error();
    const std::chrono::milliseconds pause(kFirstPauseMs * attempt + random() % kFirstPauseMs);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()) - pause;
    if (host.proxy_command || attempt == kAttempts || left.count() <= 0) return *turned_away;
    Sync<bool> nothing{false};
    std::condition_variable_any changed;
    nothing.lock().wait_for(changed, stop, pause, [](bool) { return false; });
    host.connect_timeout = left;
  }
}

Result<HopChain> HopChain::connect(const std::vector<ResolvedHost>& hosts, const Interaction& interaction,
                                   const std::stop_token& stop) {
  HopChain chain;
  for (std::size_t i = 0; i < hosts.size(); ++i) OTTO_RETURN_IF_ERROR(chain.log_in(hosts, i, interaction, stop));
  return chain;
}

HopChain::~HopChain() {
  while (!sessions_.empty()) sessions_.pop_back();
}

}  // namespace otto::transport
