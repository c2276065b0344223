// What ssh(1) says of a host (`ssh -G`), by asking it no more often than needed.
//
// Not at all where OpenSSH's files are silent, once where its answer follows from them alone and somebody remembers it,
// else each time. Must not know where answers are kept: whoever connects hands in SshAnswers.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "graph/base/result.h"
#include "transport/address.h"
#include "transport/ssh/ssh_config.h"
#include "transport/ssh/ssh_config_files.h"

namespace otto::transport {

/// Answers of ssh that are still right where nothing they follow from has changed. Called by the connecting thread.
class SshAnswers {
 public:
  virtual ~SshAnswers() = default;
  /// `question`: all that the answer follows from (arguments, files, account, ssh itself), as one text of some KB; may
  /// hold what the user's files hold, and is to be kept as a digest only.
  virtual std::optional<std::string> recall(const std::string& question) = 0;
  /// `answer`: the lines of `ssh -G` that otto honours. Never one with a ProxyCommand: a command line may name a
  /// secret.
  virtual void remember(const std::string& question, const std::string& answer) = 0;
};

/// Of a host with `use_ssh_config`. `files`: those of the ssh in PATH, where they are known (find_ssh_config_files());
/// `answers` may be null. kConfig: ssh cannot read its configuration. kInterrupted.
Result<SshConfig> ssh_answer(const Address& address, const std::optional<SshConfigFiles>& files, SshAnswers* answers,
                             const std::stop_token& stop);

/// All that is needed to log in at a host: hosts.json over ssh's answer, where that is wanted (`use_ssh_config`).
/// Errors as check_names(), ssh_answer() and merge_config().
Result<ResolvedHost> resolve_host(const Address& address, SshAnswers* answers, const std::stop_token& stop);

}  // namespace otto::transport
