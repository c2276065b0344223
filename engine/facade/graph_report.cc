// graph_of: the nodes, their edges and their state, from the verdicts of a dry run; no second opinion.

#include <algorithm>
#include <map>

#include "engine/config/settings.h"
#include "engine/workspace/opened.h"
#include "graph/base/text.h"
#include "otto/docker.h"
#include "otto/host.h"

namespace otto::docker {

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
    case ReasonKind::kPutRight: return NodeKind::kRegistration;
  }
  panic("unknown reason kind", __FILE__, __LINE__);
}

NodeState state_of(ImageStatus status) {
  if (status == ImageStatus::kStale) return NodeState::kStale;
  return status == ImageStatus::kCached ? NodeState::kFresh : NodeState::kUnknown;
}

class Drawing {
 public:
  explicit Drawing(const BuildReport& build) {
    report_.parent = build.parent;
    report_.repo = build.repo;
    report_.parent_reachable = build.parent_reachable;
    report_.error = build.error;
    add_nodes(build.graph);
    for (const ImageResult& image : build.images) judge(image);
  }

  /// A container is fresh while neither its image nor its definition asks for another one; the stack while all are.
  void add_stack(const UpReport& up) {
    GraphNode stack{NodeKind::kStack, up.project, NodeState::kFresh, {}, {}, {}};
    for (const ServiceResult& service : up.services) {
      const bool fresh = service.action == ServiceAction::kUnchanged ||
                         (service.action == ServiceAction::kCompleted && service.reason.empty());
      GraphNode container{NodeKind::kRegistration, service.host_id, fresh ? NodeState::kFresh : NodeState::kStale,
                          service.reasons,         service.reason,  {image_of(up.build, service.image)}};
      if (!fresh) stack.state = NodeState::kStale;
      stack.inputs.push_back(add(std::move(container)));
    }
    if (up.services.empty()) stack.state = NodeState::kUnknown;
    stack_ = add(std::move(stack));
  }

  /// Containers that could not be judged, by their host ids.
  void add_unknown_containers(const std::vector<HostListing>& hosts) {
    const std::string prefix = text::to_lower(report_.parent + "." + report_.repo + ".");
    for (const HostListing& host : hosts) {
      if (host.kind != HostKind::kContainer || !host.id.starts_with(prefix)) continue;
      const std::size_t container = add({NodeKind::kRegistration, host.id, NodeState::kUnknown, {}, {}, {}});
      report_.nodes[stack_].inputs.push_back(container);
    }
  }

  GraphReport finish() && { return std::move(report_); }

 private:
  std::size_t add(GraphNode node) {
    report_.nodes.push_back(std::move(node));
    return report_.nodes.size() - 1;
  }

  void add_nodes(const graph::Graph& graph) {
    for (const graph::NodeId id : graph.nodes()) {
      const graph::Node& node = graph.node(id);
      GraphNode drawn{node.kind, node.name, NodeState::kUnknown, {}, {}, {}};
      for (const graph::NodeId input : node.inputs) drawn.inputs.push_back(input.index);
      add(std::move(drawn));
    }
  }

  std::size_t find(NodeKind kind, std::string_view name) const {
    const auto found =
        std::ranges::find_if(report_.nodes, [&](const auto& node) { return node.kind == kind && node.name == name; });
    return static_cast<std::size_t>(found - report_.nodes.begin());
  }

  std::size_t image_of(const BuildReport& build, const std::string& reference) {
    for (const ImageResult& image : build.images) {
      if (image.tag == reference) return find(NodeKind::kImage, image.name);
    }
    const std::size_t known = find(NodeKind::kBaseImage, reference);
    if (known < report_.nodes.size()) return known;
    return add({NodeKind::kBaseImage, reference, NodeState::kUnknown, {}, {}, {}});
  }

  void judge(const ImageResult& image) {
    const std::size_t index = find(NodeKind::kImage, image.name);
    if (index == report_.nodes.size()) return;
    report_.nodes[index].state = state_of(image.status);
    report_.nodes[index].reasons = image.reasons;
    for (const std::size_t input : report_.nodes[index].inputs) judge_input(report_.nodes[input], image);
  }

  /// What an image's verdict says of a file, tree or image it is made from: the reasons that name it.
  static void judge_input(GraphNode& input, const ImageResult& image) {
    if (input.kind == NodeKind::kImage) return;
    for (const graph::Reason& reason : image.reasons) {
      if (subject_of(reason.kind) != input.kind) continue;
      if (input.kind == NodeKind::kBaseImage && reason.subject != input.name) continue;
      if (std::ranges::find(input.reasons, reason) == input.reasons.end()) input.reasons.push_back(reason);
      input.state = NodeState::kStale;
    }
    const bool compared =
        image.status == ImageStatus::kCached ||
        (image.status == ImageStatus::kStale && image.reasons.front().kind != ReasonKind::kNeverBuilt);
    if (input.state == NodeState::kUnknown && compared) input.state = NodeState::kFresh;
  }

  GraphReport report_;
  std::size_t stack_ = 0;
};

Result<GraphReport> draw_stack(Workspace& library, const UpReport& up) {
  Drawing drawing(up.build);
  drawing.add_stack(up);
  if (up.services.empty()) {
    OTTO_TRY(const std::vector<HostListing> hosts, list_hosts(library));
    drawing.add_unknown_containers(hosts);
  }
  return std::move(drawing).finish();
}

}  // namespace

std::string_view node_state_name(NodeState state) {
  switch (state) {
    case NodeState::kFresh: return "fresh";
    case NodeState::kStale: return "stale";
    case NodeState::kUnknown: return "unknown";
  }
  panic("unknown node state", __FILE__, __LINE__);
}

Result<std::vector<GraphReport>> graph_of(Workspace& library, const std::optional<std::string>& on) {
  workspace::Opened& workspace = library.opened();
  const auto has_stack = [](const config::Settings& repo) { return !repo.composes.empty(); };
  std::vector<GraphReport> reports;
  if (std::ranges::any_of(workspace.repos(), has_stack)) {
    UpOptions options;
    options.on = on;
    options.dry_run = true;
    OTTO_TRY(const std::vector<UpReport> ups, compose_up(library, options));
    for (const UpReport& up : ups) {
      OTTO_TRY(GraphReport report, draw_stack(library, up));
      reports.push_back(std::move(report));
    }
  }
  if (std::ranges::all_of(workspace.repos(), has_stack)) return reports;
  BuildOptions options;
  options.on = on;
  options.dry_run = true;
  OTTO_TRY(const std::vector<BuildReport> builds, build_images(library, options));
  for (const BuildReport& build : builds) {
    const bool drawn = std::ranges::any_of(
        reports, [&](const GraphReport& report) { return report.repo == build.repo && report.parent == build.parent; });
    if (!drawn) reports.push_back(Drawing(build).finish());
  }
  return reports;
}

}  // namespace otto::docker
