// What was done to services, as the memo is told of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/parent/container_state.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_plan.h"
#include "graph/base/result.h"

namespace otto::stack {

/// The plan's steps for the services of `images`, which gives the image that each runs now. kDatabase.
Result<void> record_steps(parent::ParentSession& session, const StackPlan& plan,
                          const std::map<std::string, std::string>& images);

/// Which of `services` a call that failed has done all the same: all their containers are as the model says, and one is
/// not as it was before. Pure.
std::vector<std::string> services_done(const std::vector<std::string>& services, const StackModel& model,
                                       const std::vector<parent::ContainerState>& before,
                                       const std::vector<parent::ContainerState>& after);

/// One action a service: its containers have gone together. kDatabase.
Result<void> record_removed(parent::ParentSession& session, const std::vector<parent::ContainerState>& containers);

}  // namespace otto::stack
