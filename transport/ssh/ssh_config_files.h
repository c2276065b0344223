// What OpenSSH's configuration files let one know of `ssh -G`'s answer for a host before ssh is asked: starting ssh
// takes longer than all else that otto does before it connects.
//
// OpenSSH alone reads its configuration for otto. Here is only seen whether a line that otto honours could be meant for
// the host, and whether the answer follows from the files alone. Where there is any doubt (a key that is not known,
// Match by something outside of the files, variables, quotes around a file's name, a file that ssh could refuse, an ssh
// that is not the distribution's), ssh is to be asked. Reads files, nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto::transport {

/// Where ssh(1) reads its configuration (ssh_config(5)).
struct SshConfigFiles {
  std::string program;  ///< the ssh that reads them
  std::string home;     ///< the account's, whatever HOME says: what "~" means in Include
  std::string user;     ///< ~/.ssh/config; need not exist
  std::string system;   ///< /etc/ssh/ssh_config
};

/// This account's; unset where the ssh in PATH is not /usr/bin/ssh, whose files and defaults could be others.
std::optional<SshConfigFiles> find_ssh_config_files();

/// What ssh's answer follows from; the later includes the earlier.
enum class SshAnswerFrom {
  kDefaults,  ///< no line counts
  kFiles,     ///< with the same files' content, arguments, account and ssh it is the same
  kMore,      ///< what a command says, the environment, DNS; or it cannot be told
};

struct SshConfigReading {
  SshAnswerFrom from = SshAnswerFrom::kDefaults;
  std::string content;  ///< of kFiles: every file that counts, by name and content, in the order of reading
};

SshConfigReading read_ssh_config_files(const SshConfigFiles& files, std::string_view host);

}  // namespace otto::transport
