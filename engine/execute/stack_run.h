// Brings a repo's compose stack up on one parent: plan, run the waves, register.
//
// Files and model are stack_stage.h's. Images are given: their building is image_run.h's work.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/docker/compose.h"
#include "engine/docker/parent.h"
#include "engine/docker/stack_model.h"
#include "engine/execute/parent_session.h"
#include "engine/execute/stack_inputs.h"
#include "engine/execute/stack_stage.h"
#include "graph/base/result.h"
#include "otto/docker.h"

namespace otto::execute {

/// What the project's images are on the parent: image name → exact tag, and tag → id.
struct PinnedImages {
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> ids;
  std::vector<std::string> rebuilt_later;  ///< dry run: tags that would be built, whose ids are not known
};

struct StackRunRequest {
  std::vector<std::string> services;
  bool wait = false;
  bool remove_orphans = false;
  bool dry_run = false;
};

/// `model`: absent: asked for. `probe` must hold the stack's containers and, with a model, the ids of its external
/// images. kComposeFailed (also: a container ended with an error at once), kUnknownName, kConfig,
/// kUnsupported and errors that end a run.
Result<std::vector<docker::ServiceResult>> run_stack(ParentSession& session, const StackInputs& stack,
                                                     StackStage& stage, std::optional<docker::StackModel> model,
                                                     docker::Probe probe, const PinnedImages& images,
                                                     const StackRunRequest& request);

/// "<parent>.<project>.<service>", further replicas "-2", "-3", …; lower case.
std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number);

}  // namespace otto::execute
