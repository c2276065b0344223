// What the verdicts of images say of the Dockerfiles, contexts and base images that they are made from. Pure.
#pragma once

#include <map>
#include <span>

#include "graph/node.h"
#include "graph/outcome.h"
#include "otto/images.h"

namespace otto::images {

/// Each input that something remembered was compared with: stale by the reasons that name it, else fresh. An input of
/// images that were never built is not among them.
std::map<graph::NodeId, graph::Verdict> input_verdicts(const graph::Graph& graph,
                                                       std::span<const docker::ImageResult> images);

}  // namespace otto::images
