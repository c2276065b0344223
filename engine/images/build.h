// Builds one image on a parent from its stage, so that the tag tells the truth.
//
// One job: take the image's lock, so that it is built once however many want it; take the stage's shared lock and
// verify it, write the Dockerfile outside the context beside an empty ignore file of its own name (the parent must not
// apply ignore rules a second time), build without a tag (--iidfile), verify the stage again, then tag. `FROM` and
// `COPY --from` of the repo's own images are pinned with --build-context; parents without buildx: legacy_build.h. No
// labels: they would change the id and be inherited (docs/design_notes.md). Must not know plans or the memo.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/parent/building.h"
#include "engine/parent/facts.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::images {

using parent::BuildRequest;
using parent::BuiltImage;

/// Whether the parent's builder can do what the Dockerfile asks for; before anything is sent. kUnsupported, kConfig.
Result<void> check_builder(const parent::ParentFacts& facts, const BuildRequest& request);

/// kBuildFailed with the engine's own error, kInputsChanged (a base image moved, an image that it is built from was
/// removed), kUnsupported (no lock can be had there), kDockerMissing, kDockerDenied, kConnectionLost,
/// kInterrupted.
Result<BuiltImage> build_image(transport::Remote& remote, const parent::ParentSettings& settings,
                               const parent::ParentFacts& facts, const BuildRequest& request);

/// `docker tag`. kRemoteFailed, kDockerMissing, kDockerDenied, kConnectionLost, kInterrupted.
Result<void> tag_image(transport::Remote& remote, const parent::ParentSettings& settings, const std::string& reference,
                       const std::string& tag, const std::stop_token& stop);

/// The readable part of BuildKit's plain progress after a failure: the failing step's output and the Dockerfile's
/// lines; the legacy builder's last lines.
std::string failure_of(const std::vector<std::string>& progress);

/// The step a line of plain progress begins ("#7 [build 2/4] RUN make" → "[build 2/4] RUN make", the legacy builder's
/// "Step 2/4 : RUN make" as it is); empty: none.
std::string_view step_of(std::string_view line);

/// The base image that a line of plain progress says is fetched, and its digest
/// ("#4 [1/2] FROM docker.io/library/debian:12@sha256:1a…"); empty: none.
std::pair<std::string, std::string> fetched_base_of(std::string_view line);

}  // namespace otto::images
