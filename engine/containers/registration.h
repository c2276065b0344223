// Containers as hosts: their ids, and what the memo is told of a stack's containers for listing and completion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/stack/stack_plan.h"
#include "graph/base/result.h"

namespace otto::execute {

/// "<parent>.<project>.<service>", further replicas "-2", "-3", …; lower case.
std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number);

/// Replaces what was registered of the repo's stack on the session's parent. A further replica whose id another service
/// has by its own name (`web` twice, and `web-2`) is no host: that is told. kDatabase.
Result<void> register_containers(ParentSession& session, const std::string& compose_project,
                                 std::vector<plan::ContainerState> containers);

}  // namespace otto::execute
