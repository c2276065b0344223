// Resolving a route and connecting along it.
//
// A ProxyJump of ~/.ssh/config counts only where the route itself names no hop, for the host it stands at; the first
// jump may have one of its own, as with ssh. Nothing is connected before the whole route is resolved.
#include "transport/ssh/hop_chain.h"

#include <fmt/format.h>

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

Result<HopChain> HopChain::connect(const std::vector<ResolvedHost>& hosts, const Interaction& interaction,
                                   const std::stop_token& stop) {
  HopChain chain;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const ResolvedHost& host = hosts[i];
    const bool hop = i + 1 < hosts.size();
    const std::string who = hop ? "hop " + host.describe() : host.describe();
    Fd socket;
    if (i > 0) {
      auto tunnel = chain.last().open_tunnel(host.host, host.port, Clock::now() + host.connect_timeout, stop);
      if (!tunnel) return classify_tunnel(who, hosts[i - 1].id, std::move(tunnel).error());
      socket = std::move(tunnel).value();
    } else if (host.proxy_command) {
      OTTO_TRY(socket, start_proxy_command(*host.proxy_command));
    } else {
      OTTO_TRY(socket, connect_tcp(who, host.host, host.port, host.connect_timeout, stop, host.local_end));
    }
    interaction.tell(host.id, ConnectStage::kConnected,
                     i > 0 ? fmt::format("reached from hop '{}'", hosts[i - 1].id) : "reached");
    OTTO_TRY(auto session, SshSession::log_in(std::move(socket), host, who, hop, interaction, stop));
    chain.sessions_.push_back(std::move(session));
  }
  return chain;
}

HopChain::~HopChain() {
  while (!sessions_.empty()) sessions_.pop_back();
}

}  // namespace otto::transport
