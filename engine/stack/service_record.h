// What was done to services, as the memo is told of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/records.h"
#include "engine/parent/container_state.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"

namespace otto::stack {

/// Now, on the session's parent; image and reasons are left to the caller.
cache::ServiceRecord action_on(const parent::ParentSession& session, const std::string& service,
                               std::string_view action);

/// One action a service: its containers have gone together. kDatabase.
Result<void> record_removed(parent::ParentSession& session, const std::vector<parent::ContainerState>& containers);

}  // namespace otto::stack
