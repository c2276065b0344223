// What a repo needs no longer on one parent, removed: gathers what is known, plans (prune_plan.h), removes, tells.
#pragma once

#include "engine/images/image_inputs.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"
#include "otto/images.h"

namespace otto::images {

/// As docker::prune_images, for one repo, whose images are as `images` says, and a session that is connected.
Result<docker::PruneReport> prune_repo(parent::ParentSession& session, const RepoInputs& images,
                                       const docker::PruneOptions& options);

}  // namespace otto::images
