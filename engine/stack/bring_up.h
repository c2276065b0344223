// One repo's stack on one parent: from its inputs as they are now to containers that run, and the report of it.
//
// Where the inputs come from is the caller's: from disk (compose_up.cc), or from a test's memory.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "engine/images/build_repo.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/stack_inputs.h"
#include "engine/workspace/targets.h"
#include "graph/base/result.h"
#include "otto/stack.h"

namespace otto::stack {

/// What is read, each time that all is read anew.
struct UpSources {
  std::function<Result<StackInputs>()> stack;
  images::ReadImages images;
  std::function<Result<parent::ParentSession>()> session;             ///< begun, not connected
  std::function<Result<std::set<std::string>>()> services_elsewhere;  ///< StackRunRequest has it
};

/// As docker::compose_up, for one repo and parent. While another otto works on the project this one waits, then reads
/// everything anew.
Result<docker::UpReport> bring_up(const workspace::Target& target, const UpSources& sources,
                                  const docker::UpOptions& options);

}  // namespace otto::stack
