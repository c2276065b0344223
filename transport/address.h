// Where a host is and how to log in there, as the configuration says it, before ~/.ssh/config has its say.
//
// Plain values, filled by engine/config from hosts.json and [host_defaults]; resolved by ssh_config.h through `ssh -G`.
// What is unset here may be filled from there; what is set here wins.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace otto::transport {

enum class Protocol { kLocal, kSsh, kTelnet };

/// What to do about a host key (ssh_config(5), StrictHostKeyChecking).
enum class HostKeyPolicy {
  kStrict,     ///< unknown and changed keys are refused
  kAcceptNew,  ///< an unknown key is recorded in the user's known_hosts, a changed one refused
  kOff,        ///< nothing is checked; for throw-away hosts
};

struct Address {
  std::string id;  ///< otto's host id, for messages
  Protocol protocol = Protocol::kSsh;
  std::string host;  ///< "ip" of hosts.json: an address, a name or a Host alias of ~/.ssh/config
  std::optional<std::uint16_t> port;
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::vector<std::string> identity_files;                   ///< paths, ~ expanded
  std::vector<std::string> known_hosts;                      ///< paths, ~ expanded; empty: the user's and the system's
  std::optional<HostKeyPolicy> host_key_policy;              ///< unset: ~/.ssh/config's, else accept-new
  std::optional<std::chrono::milliseconds> connect_timeout;  ///< unset: 10 s
  std::optional<std::chrono::milliseconds> keepalive_interval;  ///< unset: 15 s; zero: none
  bool use_ssh_config = true;
};

/// The way to a host: connect to via[0], from there to via[1], …, from the last to target.
struct Route {
  std::vector<Address> via;
  Address target;
};

}  // namespace otto::transport
