// What a parent is asked about a repo's images, and the hashes completed with its answer (images/base_images.h).
//
// The tags are not known before the contexts are scanned, nor, where a base image counts in a hash, before the probe:
// all tags of the repositories are asked for. So it is one round trip, which may go on while the contexts are scanned.
// Decides nothing.
#pragma once

#include "cache/database.h"
#include "engine/images/image_inputs.h"
#include "engine/images/image_run.h"
#include "engine/parent/probe.h"
#include "graph/base/result.h"

namespace otto::images {

/// What the probe must tell of the images, their base images too; they need not be scanned.
parent::ProbeRequest probe_request(const RepoInputs& images, const ImageRunRequest& request);

/// Base images that count, as the parent has them.
void settle_from_probe(RepoInputs& images, const parent::Probe& probe);

/// Base images that count, as they were when each image was last built: for answers without a parent. kDatabase.
Result<void> settle_from_memo(cache::Database& memo, const config::Settings& repo, RepoInputs& images);

}  // namespace otto::images
