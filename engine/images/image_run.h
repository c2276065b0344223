// Brings a repo's images up to date on one parent: judge each, stage the contexts of the stale ones, build, record.
//
// Stage and build tasks run in dependency order on the scheduler's workers; the memo is written on the calling thread
// only, each result when it is true. An input that changes under way gives kInputsChanged and the caller reads the
// inputs again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/images/image_plan.h"
#include "engine/parent/parent_session.h"
#include "engine/parent/probe.h"
#include "graph/base/result.h"
#include "otto/images.h"

namespace otto::images {

struct ImageRunRequest {
  std::vector<std::string> forced;  ///< names of images to build even if up to date
  unsigned jobs = 4;
  bool keep_going = false;
  bool dry_run = false;
  bool pull = false;  ///< ask registries for newer base images (not with dry_run), and build upon them
};

/// Judges and (without dry_run) builds; completes the hashes of images whose base images count. Failures of single
/// images are in the results; kInputsChanged, kConnectionLost, kInterrupted, kDockerMissing, kDockerDenied and
/// kDatabase end the run.
Result<std::vector<docker::ImageResult>> run_images(parent::ParentSession& session, RepoInputs& images,
                                                    const parent::Probe& probe, const ImageRunRequest& request);

/// What the results say where the parent could not be asked: kUnknown, with tags and hashes.
std::vector<docker::ImageResult> unknown_results(const RepoInputs& images);

}  // namespace otto::images
