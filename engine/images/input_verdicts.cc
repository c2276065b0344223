#include "engine/images/input_verdicts.h"

#include <algorithm>

namespace otto::images {

namespace {

using graph::NodeKind;
using graph::ReasonKind;

/// The kind of input that a reason speaks of; an image itself for what no input of its own shows.
NodeKind subject_of(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::kFileAdded:
    case ReasonKind::kFileRemoved:
    case ReasonKind::kFileChanged:
    case ReasonKind::kModeChanged:
    case ReasonKind::kIgnoreChanged: return NodeKind::kContext;
    case ReasonKind::kDockerfileChanged: return NodeKind::kDockerfile;
    case ReasonKind::kBaseChanged: return NodeKind::kBaseImage;
    case ReasonKind::kNeverBuilt:
    case ReasonKind::kBuildArgChanged:
    case ReasonKind::kTargetChanged:
    case ReasonKind::kPlatformChanged:
    case ReasonKind::kUpstreamChanged:
    case ReasonKind::kMissingOnParent:
    case ReasonKind::kForced: return NodeKind::kImage;
    case ReasonKind::kDefinitionChanged:
    case ReasonKind::kImageChanged:
    case ReasonKind::kStagedFileChanged:
    case ReasonKind::kSecretChanged:
    case ReasonKind::kVariableChanged:
    case ReasonKind::kDependency:
    case ReasonKind::kMissing:
    case ReasonKind::kStopped:
    case ReasonKind::kPutRight: return NodeKind::kService;
  }
  panic("unknown reason kind", __FILE__, __LINE__);
}

/// What of an image's verdict speaks of one of its inputs.
bool names(const graph::Reason& reason, const graph::Node& input) {
  if (subject_of(reason.kind) != input.kind) return false;
  return input.kind != NodeKind::kBaseImage || reason.subject == input.name;
}

bool was_compared(const docker::ImageResult& image) {
  if (image.status == docker::ImageStatus::kCached) return true;
  return image.status == docker::ImageStatus::kStale && image.reasons.front().kind != ReasonKind::kNeverBuilt;
}

}  // namespace

std::map<graph::NodeId, graph::Verdict> input_verdicts(const graph::Graph& graph,
                                                       std::span<const docker::ImageResult> images) {
  std::map<graph::NodeId, graph::Verdict> verdicts;
  for (const docker::ImageResult& image : images) {
    if (!was_compared(image)) continue;
    const graph::Node* node = graph.find(NodeKind::kImage, image.name);
    if (node == nullptr) continue;
    for (const graph::NodeId id : node->inputs) {
      const graph::Node& input = graph.node(id);
      if (input.kind == NodeKind::kImage) continue;
      graph::Verdict& verdict = verdicts[id];
      for (const graph::Reason& reason : image.reasons) {
        if (!names(reason, input)) continue;
        verdict.stale = true;
        const bool known = std::ranges::find(verdict.reasons, reason) != verdict.reasons.end();
        if (!known) verdict.reasons.push_back(reason);
      }
    }
  }
  return verdicts;
}

}  // namespace otto::images
