// Whether `ssh -G` could tell anything of a host that OpenSSH's defaults do not: starting ssh takes longer than all
// else that otto does before it connects.
//
// OpenSSH alone reads its configuration for otto. Here is only seen that its files have no line that otto honours and
// that could be meant for the host. Where there is any doubt (a key that is not known to be without effect, Match,
// quotes, a file that ssh could refuse, an ssh that is not the distribution's), ssh is asked. Reads files, nothing
// else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto::transport {

/// Where ssh(1) reads its configuration (ssh_config(5)).
struct SshConfigFiles {
  std::string home;    ///< the account's, whatever HOME says: what "~" means in Include
  std::string user;    ///< ~/.ssh/config; need not exist
  std::string system;  ///< /etc/ssh/ssh_config
};

/// This account's; unset where the ssh in PATH is not /usr/bin/ssh, whose files and defaults could be others.
std::optional<SshConfigFiles> find_ssh_config_files();

/// True: ssh would answer its defaults for this host. False: it may have more to say, and is to be asked.
bool ssh_config_is_silent(const SshConfigFiles& files, std::string_view host);

}  // namespace otto::transport
