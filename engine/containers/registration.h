// Containers as hosts: their ids, and what the memo is told of a stack's containers for listing and completion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/container_state.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"

namespace otto::containers {

/// Replaces what was registered of the repo's stack on the session's parent. A further replica whose id another service
/// has by its own name (`web` twice, and `web-2`) is no host: that is told. kDatabase.
Result<void> register_containers(parent::ParentSession& session, const std::string& compose_project,
                                 std::vector<parent::ContainerState> containers);

}  // namespace otto::containers
