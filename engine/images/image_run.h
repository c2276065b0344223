// Brings a repo's images up to date on one parent: judge each, stage the contexts of the stale ones, build, record.
//
// Stage and build run in dependency order on the schedule's workers (graph/drive.h); the memo is written on the calling
// thread only, each result when it is true. An input that changes under way gives kInputsChanged and the caller reads
// the inputs again.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/images/image_plan.h"
#include "engine/parent/parent_session.h"
#include "engine/parent/probe.h"
#include "graph/base/result.h"
#include "graph/drive.h"
#include "otto/images.h"

namespace otto::images {

struct ImageRunRequest {
  std::vector<std::string> forced;  ///< names of images to build even if up to date
  unsigned jobs = 4;
  bool keep_going = false;
  bool dry_run = false;
  bool pull = false;  ///< ask registries for newer base images (not with dry_run), and build upon them
};

class EarlyStages;

/// The rule of images, for graph::drive: their verdicts, what makes them true, what is recorded of it.
class ImageRule {
 public:
  /// Borrows all of it. `images` are settled (settle_from_probe).
  ImageRule(parent::ParentSession& session, const RepoInputs& images, const parent::Probe& probe,
            const ImageRunRequest& request, EarlyStages& early);
  ~ImageRule();
  ImageRule(const ImageRule&) = delete;
  ImageRule& operator=(const ImageRule&) = delete;

  /// Judges all, and takes for this project's what is there already. kDatabase, kRemoteFailed and what ends a run.
  Result<void> judge();
  /// The images' nodes in RepoInputs::graph, in build order.
  [[nodiscard]] std::vector<graph::NodeId> images() const;
  /// Those and the nodes of what they are made from.
  [[nodiscard]] std::vector<graph::NodeId> nodes() const;
  /// Of all these kinds. An image is staged and built on a worker; its inputs are judged only, because staging a
  /// context may have to be done again for each build.
  std::map<graph::NodeKind, graph::Rules> rules();
  /// As they are by now.
  [[nodiscard]] const std::vector<docker::ImageResult>& so_far() const;
  /// Once all have ended; those that are blocked are told as skipped. Failures of single images are in the results;
  /// kInputsChanged, kConnectionLost, kInterrupted, kDockerMissing, kDockerDenied and kDatabase are the run's.
  Result<std::vector<docker::ImageResult>> results(const std::vector<graph::Outcome>& outcomes);

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

/// How a command that builds drives its graph; no jobs are 4.
graph::DriveOptions drive_options(const ImageRunRequest& request, const std::stop_token& stop);

/// Drives images alone; completes the hashes of those whose base images count. Fills the report's images and outcomes.
Result<void> run_images(parent::ParentSession& session, RepoInputs& images, const parent::Probe& probe,
                        const ImageRunRequest& request, EarlyStages& early, docker::BuildReport& report);

/// What the results say where the parent could not be asked: kUnknown, with tags and hashes.
std::vector<docker::ImageResult> unknown_results(const RepoInputs& images);

}  // namespace otto::images
