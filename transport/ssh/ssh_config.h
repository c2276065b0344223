// What ~/.ssh/config says about a host, as OpenSSH itself reads it (`ssh -G`), merged under hosts.json.
//
// hosts.json (Address) wins key by key; what nobody says takes otto's defaults (accept-new, 10 s, keepalive 15 s).
// Parsing is a pure function of ssh's output, so it is tested without ssh. Must not connect to anything. A host or user
// that begins with '-' is refused before any argv exists.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "transport/address.h"
#include "transport/os/tcp.h"

namespace otto::transport {

/// Names separated by commas, best first; empty: otto's own choice.
struct SshAlgorithms {
  std::string key_exchange, ciphers, macs, host_keys, signatures;
};

/// The keys of `ssh -G` that otto honours, with ~ and %-tokens still in them; unset where ssh printed "none" or
/// nothing.
struct SshConfig {
  std::string hostname;
  std::optional<std::uint16_t> port;
  std::optional<std::string> user;
  std::vector<std::string> identity_files;
  std::optional<std::string> identity_agent;  ///< "none" is kept: no agent
  bool identities_only = false;
  bool public_keys = true;  ///< PubkeyAuthentication
  AddressFamily address_family = AddressFamily::kAny;
  std::optional<std::string> bind_address;
  std::optional<std::string> revoked_host_keys;
  SshAlgorithms algorithms;
  std::optional<std::string> proxy_jump;
  std::optional<std::string> proxy_command;
  bool proxy_use_fdpass = false;
  std::optional<std::string> host_key_alias;
  std::vector<std::string> user_known_hosts;
  std::vector<std::string> global_known_hosts;
  std::optional<HostKeyPolicy> host_key_policy;  ///< unset for "ask"
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::optional<std::chrono::milliseconds> keepalive_interval;
};

/// Parses `ssh -G` output; unknown keys are passed over.
SshConfig parse_ssh_config(std::string_view output);

/// What `ssh -G` answers where no file says anything (readconf.c, fill_default_options; those of its identities that
/// otto can use). `home`: where its known_hosts are.
SshConfig default_ssh_config(std::string_view host, const std::string& home);

/// Words separated by blanks, "double quoted" where they contain some.
std::vector<std::string> ssh_config_words(std::string_view value);

/// Whether a key (in lower case) is one of SshConfig.
bool is_honoured_ssh_key(std::string_view key);
/// All of them, sorted, a blank between.
std::string honoured_ssh_keys();

/// Everything needed to log in at one host.
struct ResolvedHost {
  std::string id;    ///< otto's id, or the ProxyJump's own spelling
  std::string host;  ///< what is connected to
  std::uint16_t port = 22;
  std::string user;
  std::optional<std::string> password;
  std::vector<std::string> identity_files;
  bool identities_named = false;  ///< by hosts.json: a missing file is an error
  std::optional<std::string> agent_socket;
  bool identities_only = false;
  std::string key_name;  ///< under which known_hosts knows it: HostKeyAlias, host or [host]:port
  std::vector<std::string> known_hosts;
  std::optional<std::string> revoked_host_keys;  ///< a file of keys that no host may show
  SshAlgorithms algorithms;
  LocalEnd local_end;  ///< of a connection that is made from here
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds keepalive_interval{15'000};
  std::vector<Address> proxy_jumps;          ///< in order of connecting
  std::optional<std::string> proxy_command;  ///< tokens expanded

  /// "'pepper_seed' (10.0.0.2:22)".
  [[nodiscard]] std::string describe() const;
};

/// Refuses names that could be taken for an option or by a shell, before ssh sees them. kConfig.
Result<void> check_names(const Address& address);

/// ssh's answer under what hosts.json says. kConfig: a name as check_names(), a ProxyJump or ProxyCommand that cannot
/// be used. Pure but for the environment (HOME, USER, SSH_AUTH_SOCK).
Result<ResolvedHost> merge_config(const Address& address, const SshConfig& config);

/// "[user@]host[:port],…" or ssh:// URLs (ssh_config(5), ProxyJump). kConfig.
Result<std::vector<Address>> parse_proxy_jump(std::string_view text, const Address& target);

/// "host", or "[host]:port" for other ports than 22 (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
std::string known_hosts_name(std::string_view host, std::uint16_t port);

}  // namespace otto::transport
