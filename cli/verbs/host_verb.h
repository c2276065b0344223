// What the verbs of `otto host ID` share: the host, named before the verb, and the way to it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/verbs/invocation.h"
#include "otto/host.h"

namespace otto::cli {

class HostVerb : public Verb {
 protected:
  /// The host, and what it borrows. Nothing is contacted before it is used.
  struct Opened {
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<Host> host;
  };

  /// Before the verb's own operands; define_way() comes behind them.
  static void define_id(Definition& definition) {
    definition.describe_operand("ID", "the host: a machine (pepper_seed) or a container (pepper_seed.repo1.api)",
                                false);
  }
  void define_way(Definition& definition) {
    definition.text("--hop", "HOST", hop_, "go through this host first; may stand before ID");
    definition.choice("--term", {"local", "ssh", "telnet"}, term_,
                      "reach the machine so, whatever hosts.json says (a container: its parent); may stand before ID");
    definition.choice("--transfer", {"scp", "sftp", "ftp", "nc"}, transfer_,
                      "accepted for what scripts say; every value moves the data as streams through the connection");
  }
  /// Errors as Invocation::open and get_host: a dry run, too, knows its hosts.
  Result<Opened> open(Invocation& invocation) const {
    Opened opened;
    OTTO_TRY(opened.workspace, invocation.open({.hop = hop_, .term = term_}));
    OTTO_TRY(opened.host, get_host(*opened.workspace, invocation.target()));
    return opened;
  }

 private:
  /// The ways to transfer that may be asked for. All of them are served by the same streams through the connection.
  enum class Transfer { kScp, kSftp, kFtp, kNc };

  std::optional<std::string> hop_;
  std::optional<Term> term_;
  Transfer transfer_ = Transfer::kScp;
};

}  // namespace otto::cli
