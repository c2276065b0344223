// Images of a repo on their parents: building, explaining, history, pruning, and what a context sends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "graph/context_manifest.h"
#include "graph/node.h"
#include "graph/outcome.h"
#include "graph/reasons.h"
#include "otto/workspace.h"

namespace otto::docker {

enum class ImageStatus { kBuilt, kCached, kFailed, kSkipped, kStale, kUnknown };
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
  std::vector<ImageResult> images;       ///< in build order
  graph::Graph graph;                    ///< all that was driven, and what it is made from
  std::vector<graph::Outcome> outcomes;  ///< how each node of `graph` did; empty: the parent could not be asked
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

}  // namespace otto::docker
