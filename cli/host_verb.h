// What the verbs of `otto host ID` share: the host, named before the verb, and the way to it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/definition.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "otto/host.h"

namespace otto::cli {

class HostVerb : public Verb {
 protected:
  /// The host, and what it borrows. Nothing is contacted before it is used.
  struct Opened {
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<Host> host;
  };

  /// Before the verb's own operands; define_hop() comes behind them.
  static void define_id(Definition& definition) {
    definition.describe_operand("ID", "the host: a machine (pepper_seed) or a container (pepper_seed.repo1.api)",
                                false);
  }
  void define_hop(Definition& definition) {
    definition.text("--hop", "HOST", hop_, "go through this host first; may stand before ID");
  }
  /// Errors as Session::open and get_host: a dry run, too, knows its hosts.
  Result<Opened> open(Session& session) const {
    Opened opened;
    OTTO_TRY(opened.workspace, session.open({.hop = hop_}));
    OTTO_TRY(opened.host, get_host(*opened.workspace, session.target()));
    return opened;
  }

 private:
  std::optional<std::string> hop_;
};

}  // namespace otto::cli
