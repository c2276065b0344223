// Why a service differs, as far as it is remembered: read from the memo for a plan's reasons (stack_plan.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/parent/container_state.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_plan.h"
#include "graph/base/result.h"

namespace otto::stack {

/// Read for what differs alone: where nothing does, nothing is read. `image_ids`: as for plan_stack(). kDatabase.
Result<Background> read_background(parent::ParentSession& session, const StackModel& model,
                                   const std::vector<parent::ContainerState>& containers,
                                   const std::map<std::string, std::optional<std::string>>& image_ids,
                                   const ServiceImages& service_images, const PinnedImages& images);

}  // namespace otto::stack
