// What a parent is asked about a repo's images, and the hashes completed with its answer (inputs/base_images.h).
//
// Where a base image counts in a hash, the tag is not known before the probe: then all tags of the repository are asked
// for, so that it stays one round trip. Decides nothing.
#pragma once

#include "engine/docker/parent.h"
#include "engine/execute/image_run.h"
#include "engine/inputs/image_inputs.h"
#include "graph/base/result.h"
#include "otto/workspace.h"

namespace otto::execute {

/// What the probe must tell of the images, their base images too.
docker::ProbeRequest probe_request(const inputs::RepoInputs& images, const ImageRunRequest& request);

/// Base images that count, as the parent has them.
void settle_from_probe(inputs::RepoInputs& images, const docker::Probe& probe);

/// Base images that count, as they were when each image was last built: for answers without a parent. kDatabase.
Result<void> settle_from_memo(Workspace& workspace, const config::Settings& repo, inputs::RepoInputs& images);

}  // namespace otto::execute
