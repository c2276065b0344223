// otto's library: images and compose stacks on lab hosts. The CLI uses this and nothing else.
//
// Anything `otto docker` can do, an instruction or a test suite does with these calls:
//
//   auto workspace = otto::Workspace::open(options, otto::null_reporter());
//   auto stack = otto::docker::composed(**workspace, {.own = true});
//   auto api = otto::docker::get_container_host(**workspace, "pepper_seed.repo1.api");
//   (*api)->oneshot("./run-tests", …);
//
// Every call reports through the workspace's Reporter and stops on its stop token (kInterrupted). Values in, values
// out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "graph/context_manifest.h"
#include "graph/node.h"
#include "graph/reasons.h"
#include "otto/host.h"
#include "otto/workspace.h"

namespace otto::docker {

enum class ImageStatus { kBuilt, kCached, kPulled, kFailed, kSkipped, kStale, kUnknown };
std::string_view status_name(ImageStatus status);

struct ImageResult {
  std::string name;
  ImageStatus status = ImageStatus::kUnknown;
  std::string tag;                     ///< full reference with the hash
  std::string hash;                    ///< 40 hex digits
  std::string image_id;                ///< "sha256:…"; empty where not known
  std::vector<graph::Reason> reasons;  ///< why it was, or would be, built; empty: nothing is stale
  std::vector<std::string>
      checked;  ///< what was compared, for --explain when nothing is stale: "Dockerfile", "812 files", …
  std::uint64_t uploaded_bytes = 0;
  std::uint64_t uploaded_files = 0;
  std::uint64_t duration_ms = 0;
  std::optional<Error> error;  ///< with kFailed; with kSkipped: what it waited for failed
};

struct BuildReport {
  std::string parent;
  bool parent_reachable = true;  ///< false only with dry_run
  std::string repo;
  std::vector<ImageResult> images;  ///< in build order
  graph::Graph graph;               ///< what the images are made from
  std::optional<Error> error;  ///< nothing could be done on this parent; only where others were asked too, or dry_run
  [[nodiscard]] std::size_t failures() const;
  [[nodiscard]] std::size_t successes() const;
};

struct BuildOptions {
  std::vector<std::string> images;  ///< names; empty: all. What they are built from joins.
  bool rebuild = false;             ///< build the named images even if they are up to date
  std::optional<std::string> on;  ///< host id; else the default_host of the composes, else the only docker_capable host
  unsigned jobs = 0;              ///< builds at once; 0: 4
  bool keep_going = false;
  bool pull = false;  ///< ask registries for newer base images first, and build upon them
  bool dry_run = false;
};

/// One report for each repo and parent. Failures of single images are in the report; errors that stop everything are
/// not: kUnknownName, kConfig, kUnreachable…, kDockerMissing, kDockerDenied, kInputsChanged, kInterrupted.
Result<std::vector<BuildReport>> build_images(Workspace& workspace, const BuildOptions& options);

enum class ServiceAction { kCreated, kRecreated, kStarted, kUnchanged, kCompleted };
std::string_view action_name(ServiceAction action);

struct ServiceResult {
  std::string service;
  std::string host_id;
  std::string container_id;  ///< empty with dry_run where not known
  std::string image;
  ServiceAction action = ServiceAction::kUnchanged;
  std::string reason;  ///< for people; not in the JSON
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

/// The hash an image's tag carries for its inputs as they are now: 40 hex digits. With `track_base` base images are as
/// they were when it was last built. kUnknownName, kConfig (a base image that counts and is not known), kIo.
Result<std::string> context_hash(Workspace& workspace, std::string_view image);

struct ContextListing {
  std::string image, root;
  std::string hash;  ///< as context_hash; empty where a base image counts that is not known
  graph::ContextManifest manifest;
};
/// The files that would be sent for an image, after its ignore rules.
Result<ContextListing> list_context(Workspace& workspace, std::string_view image);

/// A build as the memo recorded it.
struct RecordedBuild {
  std::int64_t at_ms = 0;
  std::string repo, image, parent, tag, hash, image_id;
  std::uint64_t duration_ms = 0, uploaded_bytes = 0, uploaded_files = 0;
  std::vector<graph::Reason> reasons;  ///< empty: the image was there already and became the project's current one
};
struct HistoryOptions {
  std::optional<std::string> image;  ///< else every image of the repos, also those no longer declared
  std::size_t limit = 20;            ///< of each repo; 0: all
};
/// Newest first. Offline; only reads the memo and never creates it. kUnknownName (neither declared nor ever built, with
/// the near-miss), kDatabase.
Result<std::vector<RecordedBuild>> build_history(Workspace& workspace, const HistoryOptions& options);

struct ImageExplanation {
  std::optional<RecordedBuild> last_build;  ///< on this parent, else on any; absent: none is remembered
  ImageResult now;                          ///< as build_images tells it with dry_run
};
struct ExplainReport {
  std::string parent, repo;
  bool parent_reachable = true;
  std::vector<ImageExplanation> images;
  std::optional<Error> error;  ///< as in BuildReport
};
struct ExplainOptions {
  std::vector<std::string> images;  ///< empty: all
  std::optional<std::string> on;
};
/// Why each image was last built, and what is stale now. Where the parent cannot be asked the status is kUnknown.
/// Errors as build_images.
Result<std::vector<ExplainReport>> explain_images(Workspace& workspace, const ExplainOptions& options);

enum class PruneKind { kTag, kStage, kRecord };
struct PruneEntry {
  PruneKind kind = PruneKind::kTag;
  std::string name;
  std::uint64_t bytes = 0;  ///< of a tag: its image, with the layers it shares with others
  std::string why;          ///< of what is kept
};
struct PruneReport {
  std::string parent, repo;
  std::vector<PruneEntry> removed;  ///< with dry_run: what would be
  std::vector<PruneEntry> kept;     ///< of what was considered
  std::optional<Error> error;       ///< it could not be done on this parent; only where others were asked too
};
struct PruneOptions {
  std::optional<std::string> on;
  unsigned keep = 0;  ///< of each image, so many builds besides those that are needed
  bool dry_run = false;
};
/// Removes hash tags, context stages and records that are needed no longer: never what is on disk now, what a container
/// uses, or what this user's memo does not know as built by this user. Errors as build_images.
Result<std::vector<PruneReport>> prune_images(Workspace& workspace, const PruneOptions& options);

enum class NodeState { kFresh, kStale, kUnknown };
std::string_view node_state_name(NodeState state);
struct GraphNode {
  graph::NodeKind kind = graph::NodeKind::kImage;
  std::string name;
  NodeState state = NodeState::kUnknown;
  std::vector<graph::Reason> reasons;  ///< of an image, or those that name this input of one
  std::string why;                     ///< of a container: "image changed"
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

/// "otto-<repo>-<suffix>", lower case, only characters Compose allows; suffix: OTTO_COMPOSE_SUFFIX, else the user's
/// name.
std::string get_user_compose_project(std::string_view repo_name,
                                     const std::optional<std::string>& suffix = std::nullopt);
/// "[registry/]<project>-<image>:<hash>"; the registry is named when it is not docker.io.
std::string image_full_tag(std::string_view registry_url, std::string_view project, std::string_view image,
                           std::string_view hash);
std::string image_latest_tag(std::string_view registry_url, std::string_view project, std::string_view image);

}  // namespace otto::docker
