// From a host's `hop` chain to a Route, each address with its user, password and options.
//
// hosts.json names the nearest hop of each host, so a chain is followed from the target outwards and then turned round.
// Passwords are looked up here, when a route is made, and not when the file is read: an unset variable must not stop
// commands that never go there.
#include "engine/config/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "engine/config/document.h"
#include "graph/base/text.h"

namespace otto::config {

namespace {

using Index = std::unordered_map<std::string_view, const HostEntry*>;

Index index_of(const Lab& lab) {
  Index index;
  for (const auto* hosts : {&lab.hosts, &lab.others}) {
    for (const HostEntry& host : *hosts) index.emplace(host.id, &host);
  }
  return index;
}

std::string near(const Index& index, std::string_view id) {
  std::vector<std::string> ids;
  for (const auto& [known, host] : index) ids.emplace_back(known);
  std::sort(ids.begin(), ids.end());
  return text::did_you_mean(id, ids);
}

/// `a → b → a`, from the host where the cycle closes.
Error cycle(const std::vector<const HostEntry*>& path, const HostEntry& again) {
  std::string shown;
  for (auto at = std::find(path.begin(), path.end(), &again); at != path.end(); ++at) shown += (*at)->id + " → ";
  return make_error(ErrorCode::kConfig,
                    fmt::format("{}: the hops lead round: {}{}", again.hop_where.str(), shown, again.id),
                    "remove the \"hop\" of the host that is reached directly");
}

/// `host`'s hop, as an error of the file if it leads nowhere; nullptr: reached directly.
Result<const HostEntry*> next_hop(const Index& index, const HostEntry& host, ErrorCode unknown) {
  if (host.hop.empty()) return static_cast<const HostEntry*>(nullptr);
  const auto found = index.find(host.hop);
  if (found == index.end()) {
    return make_error(unknown,
                      fmt::format("{}: 'hop' of host '{}' names '{}', which no hosts.json declares{}",
                                  host.hop_where.str(), host.id, one_line(host.hop), near(index, host.hop)),
                      "hops are host ids: ne_board_neId_slot in lower case");
  }
  if (found->second->term != transport::Protocol::kSsh) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: 'hop' of host '{}' names '{}', which is not reached by ssh",
                                  host.hop_where.str(), host.id, host.hop),
                      "only ssh hosts lead further");
  }
  return found->second;
}

/// The hops of `host`, outermost first, `host` itself last.
Result<std::vector<const HostEntry*>> chain_of(const Index& index, const HostEntry& host) {
  std::vector<const HostEntry*> chain = {&host};
  std::unordered_set<const HostEntry*> passed = {&host};
  while (true) {
    OTTO_TRY(const HostEntry* const hop, next_hop(index, *chain.back(), ErrorCode::kUnknownName));
    if (hop == nullptr) break;
    if (!passed.insert(hop).second) return cycle(chain, *hop);
    chain.push_back(hop);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

Result<std::optional<std::string>> password_of(const HostEntry& host, const std::optional<std::string>& user) {
  if (host.password_env) {
    const char* secret = std::getenv(host.password_env->c_str());
    if (secret != nullptr) return *secret == '\0' ? std::nullopt : std::optional<std::string>(secret);
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: the password of host '{}' is in ${}, which is not set", host.where.str(),
                                  host.id, *host.password_env),
                      fmt::format("export {}=…, or set it empty where a key or the agent serves", *host.password_env));
  }
  for (const auto& [name, password] : host.creds) {
    if (user && name == *user) return password;
  }
  return std::optional<std::string>();
}

template <typename T>
const std::optional<T>& either(const std::optional<T>& own, const std::optional<T>& fallback) {
  return own ? own : fallback;
}

Result<transport::Address> address_of(const HostEntry& host, const SshOptions& defaults) {
  const SshOptions& own = host.ssh_options;
  transport::Address address;
  address.id = host.id;
  address.protocol = host.term;
  address.host = host.ip;
  address.user = host.user;
  if (!address.user && !host.creds.empty()) address.user = host.creds.front().first;
  OTTO_TRY(address.password, password_of(host, address.user));
  const bool ssh = host.term == transport::Protocol::kSsh;
  address.port = ssh ? either(own.port, defaults.port) : host.telnet_options.port;
  address.identity_files = either(own.identity_files, defaults.identity_files).value_or(std::vector<std::string>());
  address.known_hosts = either(own.known_hosts, defaults.known_hosts).value_or(std::vector<std::string>());
  address.host_key_policy = either(own.host_key_policy, defaults.host_key_policy);
  address.connect_timeout = ssh ? either(own.connect_timeout, defaults.connect_timeout)
                                : either(host.telnet_options.connect_timeout, defaults.connect_timeout);
  address.keepalive_interval = ssh ? either(own.keepalive_interval, defaults.keepalive_interval)
                                   : either(host.telnet_options.keepalive_interval, defaults.keepalive_interval);
  address.use_ssh_config = either(own.use_ssh_config, defaults.use_ssh_config).value_or(true);
  return address;
}

/// What --term asks for. A host elsewhere is never taken for this machine, nor the other way round.
Result<HostEntry> reached_by(HostEntry host, const std::optional<transport::Protocol>& term) {
  if (!term) return host;
  const bool here = *term == transport::Protocol::kLocal;
  if (here && !host.ip.empty()) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("--term local: host '{}' is at {}, not this machine", host.id, host.ip),
                      "one of: ssh, telnet");
  }
  if (!here && host.ip.empty()) {
    return make_error(ErrorCode::kUsage, fmt::format("--term: host '{}' is this machine and has no address", host.id),
                      "give it an \"ip\" in hosts.json, or leave --term out");
  }
  host.term = *term;
  return host;
}

/// What --hop asks for: that host's own hops, then that host.
Result<std::vector<const HostEntry*>> extra_chain(const Index& index, const HostEntry& host, const std::string& id) {
  const auto found = index.find(text::to_lower(id));
  if (found == index.end()) {
    return make_error(ErrorCode::kUnknownName,
                      fmt::format("--hop: unknown host '{}'{}", one_line(id), near(index, text::to_lower(id))),
                      "`otto --list-hosts` lists the hosts");
  }
  if (found->second->term != transport::Protocol::kSsh) {
    return make_error(ErrorCode::kConfig, fmt::format("--hop: host '{}' is not reached by ssh", found->second->id),
                      "only ssh hosts lead further");
  }
  OTTO_TRY(auto chain, chain_of(index, *found->second));
  if (std::find(chain.begin(), chain.end(), &host) == chain.end()) return chain;
  std::string shown;
  for (const HostEntry* each : chain) shown += each->id + " → ";
  return make_error(ErrorCode::kConfig, fmt::format("--hop: the hops lead round: {}{}", shown, host.id),
                    "hop through a host that is not reached through this one");
}

}  // namespace

Result<void> check_hops(const Lab& lab) {
  const Index index = index_of(lab);
  std::unordered_set<const HostEntry*> good;
  for (const auto* hosts : {&lab.hosts, &lab.others}) {
    for (const HostEntry& start : *hosts) {
      std::vector<const HostEntry*> path;
      for (const HostEntry* host = &start; host != nullptr && !good.contains(host);) {
        if (std::find(path.begin(), path.end(), host) != path.end()) return cycle(path, *host);
        path.push_back(host);
        OTTO_TRY(host, next_hop(index, *host, ErrorCode::kConfig));
      }
      good.insert(path.begin(), path.end());
    }
  }
  return {};
}

Result<transport::Route> route_to(const Lab& lab, const HostEntry& host, const SshOptions& defaults,
                                  const std::optional<std::string>& extra_hop,
                                  const std::optional<transport::Protocol>& term) {
  const Index index = index_of(lab);
  const auto known = index.find(host.id);
  const HostEntry& target = known == index.end() ? host : *known->second;
  OTTO_TRY(const std::vector<const HostEntry*> own, chain_of(index, target));
  std::vector<const HostEntry*> chain;
  if (extra_hop) {
    OTTO_TRY(chain, extra_chain(index, target, *extra_hop));
  }
  for (const HostEntry* each : own) {
    if (std::find(chain.begin(), chain.end(), each) == chain.end()) chain.push_back(each);
  }
  transport::Route route;
  for (const HostEntry* each : chain) {
    if (each == &target) {
      OTTO_TRY(const HostEntry wanted, reached_by(target, term));
      OTTO_TRY(route.target, address_of(wanted, defaults));
    } else {
      OTTO_TRY(transport::Address address, address_of(*each, defaults));
      route.via.push_back(std::move(address));
    }
  }
  return route;
}

}  // namespace otto::config
