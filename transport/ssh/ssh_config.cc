// What `ssh -G` printed: parsing, and merging under hosts.json.
//
// ssh prints each key in lower case with one value a line and leaves ~ and most %-tokens to its user, so they are
// expanded here (ssh_config(5), TOKENS). Its "ask" for unknown keys becomes otto's own default: nobody can be asked.
#include "transport/ssh/ssh_config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <map>

#include "graph/base/account.h"
#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::chrono::milliseconds kDefaultConnectTimeout{10'000};
constexpr std::chrono::milliseconds kDefaultKeepalive{15'000};

std::optional<long> to_number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> to_port(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<HostKeyPolicy> to_policy(std::string_view value) {
  if (value == "yes" || value == "true") return HostKeyPolicy::kStrict;
  if (value == "accept-new") return HostKeyPolicy::kAcceptNew;
  if (value == "no" || value == "off" || value == "false") return HostKeyPolicy::kOff;
  return std::nullopt;
}

std::optional<std::string> unless_none(std::string_view value) {
  if (value.empty() || value == "none") return std::nullopt;
  return std::string(value);
}

std::optional<std::chrono::milliseconds> to_seconds(std::string_view value) {
  const auto number = to_number(value);
  if (!number || *number <= 0) return std::nullopt;
  return std::chrono::seconds(*number);
}

using Setter = void (*)(SshConfig&, std::string_view);

const std::map<std::string_view, Setter>& setters() {
  static const std::map<std::string_view, Setter> table = {
      {"hostname", [](SshConfig& c, std::string_view v) { c.hostname = v; }},
      {"port", [](SshConfig& c, std::string_view v) { c.port = to_port(v); }},
      {"user", [](SshConfig& c, std::string_view v) { c.user = v; }},
      {"identityfile",
       [](SshConfig& c, std::string_view v) {
         if (v != "none") c.identity_files.emplace_back(v);
       }},
      {"identityagent", [](SshConfig& c, std::string_view v) { c.identity_agent = v; }},
      {"identitiesonly", [](SshConfig& c, std::string_view v) { c.identities_only = v == "yes"; }},
      {"pubkeyauthentication", [](SshConfig& c, std::string_view v) { c.public_keys = v != "no" && v != "false"; }},
      {"addressfamily",
       [](SshConfig& c, std::string_view v) {
         c.address_family = v == "inet"    ? AddressFamily::kIpv4
                            : v == "inet6" ? AddressFamily::kIpv6
                                           : AddressFamily::kAny;
       }},
      {"bindaddress", [](SshConfig& c, std::string_view v) { c.bind_address = unless_none(v); }},
      {"revokedhostkeys", [](SshConfig& c, std::string_view v) { c.revoked_host_keys = unless_none(v); }},
      {"kexalgorithms", [](SshConfig& c, std::string_view v) { c.algorithms.key_exchange = v; }},
      {"ciphers", [](SshConfig& c, std::string_view v) { c.algorithms.ciphers = v; }},
      {"macs", [](SshConfig& c, std::string_view v) { c.algorithms.macs = v; }},
      {"hostkeyalgorithms", [](SshConfig& c, std::string_view v) { c.algorithms.host_keys = v; }},
      {"pubkeyacceptedalgorithms", [](SshConfig& c, std::string_view v) { c.algorithms.signatures = v; }},
      {"pubkeyacceptedkeytypes", [](SshConfig& c, std::string_view v) { c.algorithms.signatures = v; }},
      {"proxyjump", [](SshConfig& c, std::string_view v) { c.proxy_jump = unless_none(v); }},
      {"proxycommand", [](SshConfig& c, std::string_view v) { c.proxy_command = unless_none(v); }},
      {"proxyusefdpass", [](SshConfig& c, std::string_view v) { c.proxy_use_fdpass = v == "yes"; }},
      {"hostkeyalias", [](SshConfig& c, std::string_view v) { c.host_key_alias = unless_none(v); }},
      {"userknownhostsfile", [](SshConfig& c, std::string_view v) { c.user_known_hosts = ssh_config_words(v); }},
      {"globalknownhostsfile", [](SshConfig& c, std::string_view v) { c.global_known_hosts = ssh_config_words(v); }},
      {"stricthostkeychecking", [](SshConfig& c, std::string_view v) { c.host_key_policy = to_policy(v); }},
      {"connecttimeout", [](SshConfig& c, std::string_view v) { c.connect_timeout = to_seconds(v); }},
      {"serveraliveinterval", [](SshConfig& c, std::string_view v) { c.keepalive_interval = to_seconds(v); }},
  };
  return table;
}

std::string local_host() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string expand_tokens(std::string_view text, const ResolvedHost& host, std::string_view original) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case '%': out += '%'; break;
      case 'h': out += host.host; break;
      case 'n': out += original; break;
      case 'p': out += std::to_string(host.port); break;
      case 'r': out += host.user; break;
      case 'u': out += account().name; break;
      case 'd': out += home_directory(); break;
      case 'i': out += std::to_string(::getuid()); break;
      case 'l': out += local_host(); break;
      case 'L': out += local_host().substr(0, local_host().find('.')); break;
      default: out.append({'%', text[i]});
    }
  }
  return out;
}

/// ${NAME} by the environment, as ssh does in the names of files; without a value it stays, and no such file is found.
std::string expand_environment(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.substr(at).starts_with("${") ? text.find('}', at) : std::string_view::npos;
    const std::string name(end == std::string_view::npos ? std::string_view() : text.substr(at + 2, end - at - 2));
    const char* value = name.empty() ? nullptr : ::getenv(name.c_str());
    if (value == nullptr) {
      out += text[at++];
      continue;
    }
    out += value;
    at = end + 1;
  }
  return out;
}

std::string expand_path(std::string_view file, const ResolvedHost& host, std::string_view original) {
  return expand_tokens(expand_environment(expand_home(file)), host, original);
}

/// The files of a list from `ssh -G`, which prints one with blanks as several words: each begins as a path does.
std::vector<std::string> listed_files(const std::vector<std::string>& words, const ResolvedHost& host,
                                      std::string_view original) {
  std::vector<std::string> files;
  for (const std::string& word : words) {
    const bool begins =
        files.empty() || word == "none" || std::string_view("/~%$").find(word[0]) != std::string_view::npos;
    if (begins)
      files.push_back(word);
    else
      files.back() += " " + word;
  }
  std::erase(files, "none");
  for (std::string& file : files) file = expand_path(file, host, original);
  return files;
}

/// A user's name as ssh takes it (ssh.c, valid_ruser): CORP\joe is one.
std::optional<Error> refuse_odd_user(std::string_view value, const std::string& id) {
  constexpr std::string_view kRefused("'`\";&<>|(){}\n\r\t \0", 17);
  const bool odd = value.empty() || value.front() == '-' || value.back() == '\\' ||
                   value.find_first_of(kRefused) != std::string_view::npos;
  if (!odd) return std::nullopt;
  return make_error(ErrorCode::kConfig, fmt::format("host '{}': '{}' cannot be a user", id, text::printable(value)),
                    "correct the user in hosts.json or ~/.ssh/config");
}

/// A name that ssh(1) or a shell could take for something else than a name.
std::optional<Error> refuse_odd_name(std::string_view what, std::string_view value, const std::string& id) {
  const bool odd = value.empty() || value.front() == '-' ||
                   value.find_first_of(std::string_view(" \t\r\n'\"`$\\;&|<>(){}\0", 19)) != std::string_view::npos;
  if (!odd) return std::nullopt;
  return make_error(ErrorCode::kConfig, fmt::format("host '{}': '{}' cannot be a {}", id, text::printable(value), what),
                    fmt::format("correct the {} in hosts.json or ~/.ssh/config", what));
}

std::optional<std::string> choose_agent(const SshConfig& config, const ResolvedHost& host, std::string_view original) {
  const char* from_environment = ::getenv("SSH_AUTH_SOCK");
  std::optional<std::string> standard;
  if (from_environment != nullptr && *from_environment != '\0') standard = from_environment;
  if (!config.identity_agent || *config.identity_agent == "SSH_AUTH_SOCK") return standard;
  const std::string& agent = *config.identity_agent;
  if (agent == "none") return std::nullopt;
  if (agent.starts_with('$') && agent.find('/') == std::string::npos) {
    std::string name = agent.substr(1);
    if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
    const char* value = ::getenv(name.c_str());
    return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
  }
  return expand_path(agent, host, original);
}

void choose_identities(const Address& address, const SshConfig& config, ResolvedHost& host) {
  if (!address.identity_files.empty()) {
    host.identity_files = address.identity_files;
    host.identities_named = true;
  } else {
    for (const auto& file : config.identity_files) {
      host.identity_files.push_back(expand_path(file, host, address.host));
    }
  }
  host.identities_only = config.identities_only;
  host.agent_socket = choose_agent(config, host, address.host);
  if (config.public_keys || host.identities_named) return;
  host.identity_files.clear();
  host.agent_socket.reset();
}

void choose_known_hosts(const Address& address, const SshConfig& config, ResolvedHost& host) {
  host.key_name = config.host_key_alias.value_or(known_hosts_name(host.host, host.port));
  host.host_key_policy = address.host_key_policy.value_or(config.host_key_policy.value_or(HostKeyPolicy::kAcceptNew));
  if (config.revoked_host_keys) {
    host.revoked_host_keys = expand_path(*config.revoked_host_keys, host, address.host);
  }
  if (!address.known_hosts.empty()) {
    host.known_hosts = address.known_hosts;
    return;
  }
  for (const auto* files : {&config.user_known_hosts, &config.global_known_hosts}) {
    for (std::string& file : listed_files(*files, host, address.host)) host.known_hosts.push_back(std::move(file));
  }
}

Result<void> choose_proxy(const Address& address, const SshConfig& config, ResolvedHost& host) {
  if (config.proxy_jump) {
    OTTO_TRY(host.proxy_jumps, parse_proxy_jump(*config.proxy_jump, address));
    return {};
  }
  if (!config.proxy_command) return {};
  if (config.proxy_use_fdpass) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("host '{}': ProxyUseFdpass of ~/.ssh/config is not supported", address.id),
                      "give a ProxyCommand that passes the bytes itself, or set use_ssh_config = false for this host");
  }
  host.proxy_command = expand_tokens(*config.proxy_command, host, address.host);
  return {};
}

}  // namespace

SshConfig parse_ssh_config(std::string_view output) {
  SshConfig config;
  for (const auto& line : text::split(output, '\n')) {
    const auto blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const auto setter = setters().find(std::string_view(line).substr(0, blank));
    if (setter != setters().end()) setter->second(config, text::trim(std::string_view(line).substr(blank + 1)));
  }
  return config;
}

SshConfig default_ssh_config(std::string_view host, const std::string& home) {
  SshConfig config;
  config.hostname = text::to_lower(host);
  for (const char* name : {"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"}) {
    config.identity_files.push_back(std::string("~/.ssh/") + name);
  }
  config.user_known_hosts = {home + "/.ssh/known_hosts", home + "/.ssh/known_hosts2"};
  config.global_known_hosts = {"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"};
  return config;
}

std::vector<std::string> ssh_config_words(std::string_view value) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : value) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

bool is_honoured_ssh_key(std::string_view key) { return setters().contains(key); }

std::string honoured_ssh_keys() {
  std::string keys;
  for (const auto& [key, setter] : setters()) keys.append(keys.empty() ? "" : " ").append(key);
  return keys;
}

std::string known_hosts_name(std::string_view host, std::uint16_t port) {
  return port == 22 ? text::to_lower(host) : fmt::format("[{}]:{}", text::to_lower(host), port);
}

std::string ResolvedHost::describe() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("'{}' ([{}]:{})", id, host, port) : fmt::format("'{}' ({}:{})", id, host, port);
}

Result<std::vector<Address>> parse_proxy_jump(std::string_view text, const Address& target) {
  std::vector<Address> jumps;
  for (const auto& word : text::split(text, ',')) {
    Address jump;
    std::string_view rest = text::trim(word);
    if (rest.starts_with("ssh://")) rest.remove_prefix(6);
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
      jump.user = std::string(rest.substr(0, at));
      rest.remove_prefix(at + 1);
    }
    const auto bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
    const auto colon = rest.rfind(':');
    const bool one_colon = colon != std::string_view::npos && rest.find(':') == colon;
    if (colon != std::string_view::npos && (bracket != std::string_view::npos ? colon == bracket + 1 : one_colon)) {
      jump.port = to_port(rest.substr(colon + 1));
      if (!jump.port) rest = {};
      rest = rest.substr(0, colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) {
      return make_error(ErrorCode::kConfig, fmt::format("host '{}': ProxyJump '{}' is not [user@]host[:port]",
                                                        target.id, text::printable(text)));
    }
    jump.id = std::string(text::trim(word));  // the same host with another port or user is another hop
    jump.host = std::string(rest);
    jump.connect_timeout = target.connect_timeout;
    jumps.push_back(std::move(jump));
  }
  return jumps;
}

Result<void> check_names(const Address& address) {
  if (auto odd = refuse_odd_name("host name", address.host, address.id)) return std::move(*odd);
  if (!address.user) return {};
  if (auto odd = refuse_odd_user(*address.user, address.id)) return std::move(*odd);
  return {};
}

Result<ResolvedHost> merge_config(const Address& address, const SshConfig& config) {
  ResolvedHost host;
  host.id = address.id;
  host.host = config.hostname.empty() ? address.host : config.hostname;
  host.port = address.port.value_or(config.port.value_or(22));
  host.user = address.user ? *address.user : config.user ? *config.user : account().name;
  if (auto odd = refuse_odd_name("host name", host.host, address.id)) return std::move(*odd);
  if (auto odd = refuse_odd_user(host.user, address.id)) return std::move(*odd);
  host.password = address.password;
  host.connect_timeout = address.connect_timeout.value_or(config.connect_timeout.value_or(kDefaultConnectTimeout));
  host.keepalive_interval = address.keepalive_interval.value_or(config.keepalive_interval.value_or(kDefaultKeepalive));
  choose_identities(address, config, host);
  choose_known_hosts(address, config, host);
  host.algorithms = config.algorithms;
  host.local_end = {config.address_family, config.bind_address};
  OTTO_RETURN_IF_ERROR(choose_proxy(address, config, host));
  return host;
}

}  // namespace otto::transport
