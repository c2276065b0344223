// Containers of services that the stack does not have any more.
#pragma once

#include <string>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/stack/stack_run.h"
#include "graph/base/result.h"

namespace otto::stack {

/// Told are they, and removed only when asked for; never those of the repo's other compose files. Gives those that were
/// removed. `doomed`: as of every call that changes something. kConfig (a broken file of another parent's stack, where
/// they are to be removed), kComposeFailed.
Result<std::vector<parent::ContainerState>> settle_orphans(parent::ParentSession& session, parent::Compose& compose,
                                                           const std::string& compose_project,
                                                           std::vector<parent::ContainerState> orphans,
                                                           const StackRunRequest& request,
                                                           const std::vector<std::string>& doomed);

}  // namespace otto::stack
