// Compose stacks on their parents: up, down, ps, a stack for the length of a scope, and the graph of it all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "graph/node.h"
#include "graph/reasons.h"
#include "otto/host.h"
#include "otto/images.h"
#include "otto/workspace.h"

namespace otto::docker {

enum class ServiceAction { kCreated, kRecreated, kStarted, kUnchanged, kCompleted };
std::string_view action_name(ServiceAction action);

struct ServiceResult {
  std::string service;
  std::string host_id;
  std::string container_id;  ///< empty with dry_run where not known
  std::string image;
  ServiceAction action = ServiceAction::kUnchanged;
  std::string reason;                       ///< for people; not in the JSON
  std::vector<graph::Reason> reasons = {};  ///< of what is done; empty where nothing is
};

struct UpReport {
  BuildReport build;    ///< its parent, repo and images are the report's
  std::string project;  ///< the compose project
  std::vector<ServiceResult> services;
  std::uint64_t staged_files = 0;  ///< of the stack's own (compose files, mounts) that were sent
};

struct UpOptions {
  std::optional<std::string> on;
  std::optional<std::string> repo;    ///< only this repo's stack; else each that has one
  bool build = true;                  ///< false: pin to the last hash built for this project on the parent
  bool wait = false;                  ///< until services are running or healthy
  bool remove_orphans = false;        ///< containers of services that no compose file of the repo has any more
  std::vector<std::string> services;  ///< empty: all
  unsigned jobs = 0;
  bool keep_going = false;  ///< after a failed image, still build those that do not depend on it
  bool pull = false;        ///< as BuildOptions::pull
  bool dry_run = false;
  std::optional<std::string> project;  ///< compose project; else get_user_compose_project
  /// Seconds that each container which is stopped has before it is killed; absent: its service's stop_grace_period, and
  /// one second where it has none.
  std::optional<unsigned> timeout_s;
};

/// Builds what is stale, puts right what an interrupted command left, then creates, recreates or starts exactly the
/// affected services. One report for each repo and parent. With a failed image nothing is started on that parent: the
/// report holds the failure. While another otto works on the project this one waits, then reads everything anew.
Result<std::vector<UpReport>> compose_up(Workspace& workspace, const UpOptions& options);

struct DownOptions {
  std::optional<std::string> on;
  unsigned timeout_s = 1;  ///< grace period of each container
  bool volumes = false;
  bool dry_run = false;
  std::optional<std::string> project;
};
struct DownReport {
  std::string parent, repo, project;
  std::vector<std::string> removed;  ///< host ids of the containers that were there
  std::optional<Error> error;        ///< it could not be done on this parent; only where others were asked too
};
Result<std::vector<DownReport>> compose_down(Workspace& workspace, const DownOptions& options);

struct ContainerInfo {
  std::string id, name, image, status;
  std::string service, host_id;  ///< empty: no container of this project
};
struct HostContainers {
  std::string id;
  bool reachable = true;
  std::optional<Error> error;
  std::vector<ContainerInfo> containers;
};
/// Running containers (`all`: stopped ones too) of one host, or of every docker_capable host of the lab.
Result<std::vector<HostContainers>> compose_ps(Workspace& workspace, const std::optional<std::string>& on, bool all);

/// A stack for the length of a scope: left alone at the end if it was already up, else torn down; `own` tears down
/// always.
class Composed {
 public:
  Composed(Workspace& workspace, std::vector<UpReport> reports, bool tear_down, DownOptions down);
  ~Composed();
  Composed(Composed&&) noexcept;
  [[nodiscard]] const std::vector<UpReport>& reports() const { return reports_; }
  /// The host of a service. kUnknownName with the near-miss.
  Result<std::unique_ptr<Host>> operator[](std::string_view service) const;

 private:
  Workspace* workspace_;
  std::vector<UpReport> reports_;
  bool tear_down_;
  DownOptions down_;
};
struct ComposedOptions {
  UpOptions up;
  bool own = false;
};
Result<Composed> composed(Workspace& workspace, const ComposedOptions& options);

enum class NodeState { kFresh, kStale, kUnknown };
std::string_view node_state_name(NodeState state);
struct GraphNode {
  graph::NodeKind kind = graph::NodeKind::kImage;
  std::string name;
  NodeState state = NodeState::kUnknown;
  std::vector<graph::Reason> reasons;  ///< of an image, or those that name this input of one
  std::string why;                     ///< of a service and its containers: "image changed"
  std::vector<std::size_t> inputs;     ///< indices into the report's nodes
};
struct GraphReport {
  std::string parent, repo;
  bool parent_reachable = true;
  std::vector<GraphNode> nodes;
  std::optional<Error> error;  ///< as in BuildReport
};
/// Stacks, containers, images and what they are made from, as a dry run of compose_up (or build_images, where there is
/// no stack) judges them. Errors as compose_up.
Result<std::vector<GraphReport>> graph_of(Workspace& workspace, const std::optional<std::string>& on);

}  // namespace otto::docker
