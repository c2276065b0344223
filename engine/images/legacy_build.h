// Building on a parent without buildx: what its builder cannot do, and the Dockerfile it is given instead of pins.
//
// The legacy builder has no --build-context, so references to the repo's own images are replaced in a copy of the
// Dockerfile by their hash tags. It builds every stage before the target, so those that the target does not need are
// emptied, as BuildKit would pass them by. Features it ignores or misreads are refused before anything is sent: a
// silent difference would make the tag lie. Pure, but for the script it writes.
#pragma once

#include <string>

#include "engine/images/build.h"
#include "graph/base/result.h"

namespace otto::images {

/// The Dockerfile for the legacy builder. kUnsupported "DOCKERFILE:LINE: …" naming the feature that needs BuildKit.
Result<std::string> legacy_dockerfile(const BuildRequest& request);

/// The part of the build script from the Dockerfile on standard input to "$work/iid"; expects $work, $otto_stage_tree
/// and otto_docker. The context goes as a tar, because the command's own reading would apply .dockerignore once more.
std::string legacy_build_script(const BuildRequest& request);

}  // namespace otto::images
