// What prune asks of a parent and has removed there: sizes and users of images, context stages, records.
//
// Removal is as careful as the plan: a tag goes by `docker image rm` without force, so the engine itself refuses what a
// container has come to use meanwhile, and a stage only under its exclusive lock, taken without waiting. The lock's
// file stays, because whoever waits for it must find it (docs/stage.md). Must not decide what is needed
// (images/prune_plan.h).
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/parent/facts.h"
#include "engine/parent/pruning.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::images {

/// Borrows what it refers to.
struct PruneCall {
  transport::Remote& remote;
  const parent::ParentSettings& settings;
  const parent::ParentFacts& facts;
  std::stop_token stop;
};

/// kDockerMissing, kDockerDenied, kRemoteFailed, kConnectionLost, kInterrupted.
Result<parent::PruneSurvey> survey_parent(const PruneCall& call, const parent::PruneQuery& query);

/// Gives name → why not for what stayed. Errors as survey_parent.
Result<std::map<std::string, std::string>> remove_pruned(const PruneCall& call,
                                                         const std::vector<parent::Removal>& what);

}  // namespace otto::images
