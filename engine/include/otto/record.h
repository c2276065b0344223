// What was recorded of images and services, and why they are as they are: explain and history.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/base/result.h"
#include "graph/reasons.h"
#include "otto/images.h"
#include "otto/stack.h"
#include "otto/workspace.h"

namespace otto::docker {

/// A build as the memo recorded it.
struct RecordedBuild {
  std::int64_t at_ms = 0;
  std::string repo, image, parent, tag, hash, image_id;
  std::uint64_t duration_ms = 0, uploaded_bytes = 0, uploaded_files = 0;
  std::vector<graph::Reason> reasons;  ///< empty: the image was there already and became the project's current one
};

/// What was done to a service, as the memo recorded it.
struct RecordedAction {
  std::int64_t at_ms = 0;
  std::string repo, parent, service;
  std::string host_id;  ///< of its first container
  std::string action;   ///< "created", "recreated", "started", "removed"
  std::string image;    ///< reference
  std::vector<graph::Reason> reasons;
};

struct History {
  std::vector<RecordedBuild> builds;     ///< newest first
  std::vector<RecordedAction> services;  ///< newest first
};
struct HistoryOptions {
  std::optional<std::string> name;  ///< of an image, a service, or both; else all of the repos, also what is no more
  std::size_t limit = 20;           ///< of builds and of actions of each repo; 0: all
};
/// Offline; only reads the memo and never creates it. kUnknownName (neither declared nor ever recorded, with the
/// near-miss), kDatabase.
Result<History> history(Workspace& workspace, const HistoryOptions& options);

struct ImageExplanation {
  std::optional<RecordedBuild> last_build;  ///< on this parent, else on any; absent: none is remembered
  ImageResult now;                          ///< as build_images tells it with dry_run
};
struct ServiceExplanation {
  std::string service, host_id;
  std::optional<RecordedAction> last_action;  ///< on this parent; absent: none is remembered
  std::optional<ServiceResult> now;           ///< as compose_up tells it with dry_run; absent: it could not be judged
};
struct ExplainReport {
  std::string parent, repo;
  bool parent_reachable = true;
  std::vector<ImageExplanation> images;
  std::vector<ServiceExplanation> services;
  std::optional<Error> error;  ///< as in BuildReport
};
struct ExplainOptions {
  std::vector<std::string> names;  ///< of images and services; empty: all
  std::optional<std::string> on;
};
/// Why each image was last built, why each service was last created, recreated or started, and what is stale now. Where
/// the parent cannot be asked the verdicts are unknown. kUnknownName with the near-miss; errors as build_images and
/// compose_up.
Result<std::vector<ExplainReport>> explain(Workspace& workspace, const ExplainOptions& options);

}  // namespace otto::docker
