// `hosts.json` as values, and the labs they form. docs/configuration.md has every key.
//
// Parsing is strict, as for settings.h. Passwords stay in memory only and are never printed. Values only.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/settings.h"
#include "engine/config/source_location.h"
#include "graph/base/result.h"
#include "transport/address.h"

namespace otto::config {

struct HostEntry {
  std::string id;  ///< `ne`, then `_board`, then `_neId`/`_slot` where set; lower case
  std::string ip;
  std::vector<std::pair<std::string, std::optional<std::string>>> creds;  ///< user → password, in file order
  std::optional<std::string> user;                                        ///< else the first of creds
  std::optional<std::string> password_env;  ///< name of the variable that holds the password
  std::string hop;                          ///< a host id, lower case; empty: reached directly
  SourceLocation hop_where;
  transport::Protocol term = transport::Protocol::kSsh;
  bool docker_capable = false;
  std::optional<std::vector<std::string>> docker_command;
  std::optional<std::string> stage_dir;  ///< absolute path on the host
  std::optional<std::string> transfer;   ///< scp, sftp, ftp or nc, as the file says
  std::vector<std::string> labs;         ///< empty: in no lab, but a hop may lead through it
  SshOptions ssh_options;
  TelnetOptions telnet_options;
  SourceLocation where;
};

/// Every host of one hosts.json. kConfig. A password in a file others can read adds to `warnings`.
Result<std::vector<HostEntry>> load_hosts(const std::filesystem::path& file, std::vector<std::string>& warnings);

/// As load_hosts, from text that is at hand and without the warning: for tests and fuzzing.
Result<std::vector<HostEntry>> parse_hosts(const std::filesystem::path& file, std::string text);

/// The hosts a command may use: those of the chosen labs, over all repos.
struct Lab {
  std::vector<std::string> names;  ///< the chosen labs' names; empty: no lab at all, only `local`
  std::vector<HostEntry> hosts;    ///< of the chosen labs, sorted by id
  std::vector<HostEntry> others;   ///< every other host, sorted by id: never listed, but hops may lead through them
  /// Among `hosts`, in any case; nullptr: none.
  [[nodiscard]] const HostEntry* find(std::string_view id) const;
  /// As find(). kUnknownName with the near-miss, or with the lab that has it.
  [[nodiscard]] Result<const HostEntry*> get(std::string_view id) const;
};

struct LabChoice {
  std::vector<std::string> option;         ///< --lab, split
  std::optional<std::string> environment;  ///< OTTO_LAB
};
/// --lab > OTTO_LAB > default_lab > the only lab there is; with no lab at all, the host `local`. kUnknownName for a lab
/// nobody has. kConfig for what the files say wrongly (hosts named twice, hops that lead nowhere or round included),
/// and where several labs are there and none is chosen.
Result<Lab> load_lab(const std::vector<Settings>& repos, const LabChoice& choice, std::vector<std::string>& warnings);
/// Every lab's name that the repos' hosts.json files carry, sorted.
Result<std::vector<std::string>> list_labs(const std::vector<Settings>& repos);

/// The way to a host: its hops (`extra_hop` from --hop first), each with its user, password and options resolved
/// against `defaults`. A hop that both name is passed once. The host itself is reached by `term` where that is set
/// (--term). kUnknownName for a hop nobody declared; kConfig naming the path of a hop cycle, a hop that is not reached
/// by ssh, or a password_env variable that is not set; kUsage for a `term` that does not fit the host's address.
Result<transport::Route> route_to(const Lab& lab, const HostEntry& host, const SshOptions& defaults,
                                  const std::optional<std::string>& extra_hop = std::nullopt,
                                  const std::optional<transport::Protocol>& term = std::nullopt);

}  // namespace otto::config
