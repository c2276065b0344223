// What people are told of a stack's containers beside what was done to them: those that do nothing, fail, or were being
// replaced when the command was interrupted.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/stack/stack_plan.h"
#include "graph/base/result.h"
#include "otto/stack.h"

namespace otto::stack {

/// Warns of services that are called unchanged and yet do not do their work: paused, restarted again and again,
/// unhealthy.
void tell_unwell(parent::ParentSession& session, const StackPlan& plan,
                 const std::vector<parent::ContainerState>& containers);

/// What came of a plan, or would: the containers as they are now. `image_of`: what a service runs.
std::vector<docker::ServiceResult> service_results(const parent::ParentSession& session, const StackPlan& plan,
                                                   const std::vector<parent::ContainerState>& containers,
                                                   const std::function<std::string(const std::string&)>& image_of);

/// One line of what is, or would be, put right.
void tell_put_right(parent::ParentSession& session, const std::string& compose_project,
                    const std::vector<parent::PutRight>& steps, bool dry_run);

/// Those that their restart policy starts again may be waiting for something: a warning. So are services that ended
/// well though nothing says that this is their purpose. Others have failed: kComposeFailed with their last words.
Result<void> tell_early_exits(parent::ParentSession& session, const std::vector<parent::EarlyExit>& exits);

/// kInterrupted, saying what state each service is in that `begun` names. Asks the parent, for a second at most.
Error interrupted_while_changing(parent::ParentSession& session, const std::string& compose_project,
                                 const std::set<std::string>& begun, const std::vector<parent::ContainerState>& before);

}  // namespace otto::stack
