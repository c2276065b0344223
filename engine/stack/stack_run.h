// Brings a repo's compose stack up on one parent: plan, run the waves, register.
//
// Files and model are stack_stage.h's. Images are given: their building is image_run.h's work.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/parent/probe.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_inputs.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_stage.h"
#include "engine/stack/stack_turn.h"
#include "graph/base/result.h"
#include "otto/stack.h"

namespace otto::stack {

struct StackRunRequest {
  std::vector<std::string> services;
  bool wait = false;
  bool remove_orphans = false;
  bool dry_run = false;
  bool builds = false;  ///< the command builds: an image that has gone meanwhile is no error but a new start
  std::optional<unsigned>
      timeout_s;  ///< for what is stopped; else the service's own stop_grace_period, else one second
  /// Names of the services that the repo's compose files of other parents define: no orphans of this stack. Asked where
  /// there are containers of no service.
  std::function<Result<std::set<std::string>>()> services_elsewhere;
};

struct StackRunResult {
  /// Another otto was at work on the project since the probe: read everything anew, holding the turn.
  bool begin_anew = false;
  std::vector<docker::ServiceResult> services;
};

/// `model`: absent: asked for. `probe` must hold the stack's containers and, with a model, the ids of its external
/// images. Takes the turn where there is work. kComposeFailed (also: a container ended with an error at once),
/// kUnknownName, kConfig, kUnsupported, kInputsChanged (an image has gone) and errors that end a run.
Result<StackRunResult> run_stack(parent::ParentSession& session, const StackInputs& stack, StackStage& stage,
                                 StackTurn& turn, std::optional<StackModel> model, parent::Probe probe,
                                 const PinnedImages& images, const StackRunRequest& request);

}  // namespace otto::stack
