// graph_of: the nodes that a dry run drove, their edges and how they ended; no second opinion.

#include <algorithm>

#include "engine/config/settings.h"
#include "engine/workspace/opened.h"
#include "graph/base/text.h"
#include "otto/docker.h"
#include "otto/host.h"

namespace otto::docker {

namespace {

using graph::NodeKind;

NodeState state_of(graph::NodeEnd end) {
  switch (end) {
    case graph::NodeEnd::kFresh: return NodeState::kFresh;
    case graph::NodeEnd::kStale: return NodeState::kStale;
    default: return NodeState::kUnknown;
  }
}

/// The schedule of a dry run, as people look for it: a stack is made from its containers.
class Drawing {
 public:
  explicit Drawing(const BuildReport& build) {
    report_.parent = build.parent;
    report_.repo = build.repo;
    report_.parent_reachable = build.parent_reachable;
    report_.error = build.error;
    for (const graph::NodeId id : build.graph.nodes()) {
      const graph::Node& node = build.graph.node(id);
      GraphNode drawn{node.kind, node.name, NodeState::kUnknown, {}, {}, {}};
      if (id.index < build.outcomes.size()) {
        drawn.state = state_of(build.outcomes[id.index].end);
        drawn.reasons = build.outcomes[id.index].reasons;
      }
      for (const graph::NodeId input : node.inputs) drawn.inputs.push_back(input.index);
      report_.nodes.push_back(std::move(drawn));
    }
  }

  void join_stack(const UpReport& up, const std::vector<HostListing>& hosts) {
    const std::size_t stack = stack_of(up);
    std::vector<std::size_t> containers;
    for (std::size_t i = 0; i < report_.nodes.size(); ++i) {
      if (report_.nodes[i].kind == NodeKind::kRegistration) containers.push_back(i);
    }
    if (up.services.empty()) {
      report_.nodes[stack].state = NodeState::kUnknown;
      add_unknown(hosts, containers);
    }
    for (const ServiceResult& service : up.services) {
      for (const std::size_t container : containers) {
        if (report_.nodes[container].name == service.host_id) report_.nodes[container].why = service.reason;
      }
      for (GraphNode& node : report_.nodes) {
        if (node.kind == NodeKind::kService && node.name == service.service) node.why = service.reason;
      }
    }
    report_.nodes[stack].inputs = std::move(containers);
  }

  GraphReport finish() && { return std::move(report_); }

 private:
  std::size_t stack_of(const UpReport& up) {
    const auto found = std::ranges::find(report_.nodes, NodeKind::kStack, &GraphNode::kind);
    if (found != report_.nodes.end()) return static_cast<std::size_t>(found - report_.nodes.begin());
    report_.nodes.push_back({NodeKind::kStack, up.project, NodeState::kUnknown, {}, {}, {}});
    return report_.nodes.size() - 1;
  }

  /// Containers that are remembered and could not be judged.
  void add_unknown(const std::vector<HostListing>& hosts, std::vector<std::size_t>& containers) {
    const std::string prefix = text::to_lower(report_.parent + "." + report_.repo + ".");
    for (const HostListing& host : hosts) {
      if (host.kind != HostKind::kContainer || !host.id.starts_with(prefix)) continue;
      containers.push_back(report_.nodes.size());
      report_.nodes.push_back({NodeKind::kRegistration, host.id, NodeState::kUnknown, {}, {}, {}});
    }
  }

  GraphReport report_;
};

Result<GraphReport> draw_stack(Workspace& library, const UpReport& up) {
  std::vector<HostListing> hosts;
  if (up.services.empty()) {
    OTTO_TRY(hosts, list_hosts(library));
  }
  Drawing drawing(up.build);
  drawing.join_stack(up, hosts);
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
