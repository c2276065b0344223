// The end of a repo's stack on one parent.
#pragma once

#include "engine/parent/parent_session.h"
#include "graph/base/result.h"
#include "otto/stack.h"

namespace otto::stack {

/// As docker::compose_down, for a session that is connected.
Result<docker::DownReport> take_down(parent::ParentSession& session, const docker::DownOptions& options);

}  // namespace otto::stack
