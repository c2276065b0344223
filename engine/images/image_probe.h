// What a parent is asked about a repo's images, and the hashes completed with its answer (images/base_images.h).
//
// The tags are not known before the contexts are scanned, nor, where a base image counts in a hash, before the probe:
// all tags of the repositories are asked for. So it is one round trip, which may go on while the contexts are scanned.
// Decides nothing.
#pragma once

#include "engine/images/image_inputs.h"
#include "engine/images/image_run.h"
#include "engine/parent/parent.h"
#include "graph/base/result.h"
#include "otto/workspace.h"

namespace otto::execute {

/// What the probe must tell of the images, their base images too; they need not be scanned.
docker::ProbeRequest probe_request(const inputs::RepoInputs& images, const ImageRunRequest& request);

/// Base images that count, as the parent has them.
void settle_from_probe(inputs::RepoInputs& images, const docker::Probe& probe);

/// Base images that count, as they were when each image was last built: for answers without a parent. kDatabase.
Result<void> settle_from_memo(Workspace& workspace, const config::Settings& repo, inputs::RepoInputs& images);

}  // namespace otto::execute
