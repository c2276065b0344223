// What prune asks of a parent and has removed there: sizes and users of images, context stages, records.
//
// Removal is as careful as the plan: a tag goes by `docker image rm` without force, so the engine itself refuses what a
// container has come to use meanwhile, and a stage only under its exclusive lock, taken without waiting. The lock's
// file stays, because whoever waits for it must find it (docs/stage.md). Must not decide what is needed
// (images/prune_plan.h).
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/images/prune_plan.h"
#include "engine/parent/parent.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::images {

struct PruneSurvey {
  std::map<std::string, std::string> users;     ///< image id or reference → name of a container that uses it
  std::map<std::string, std::uint64_t> images;  ///< id → bytes, with the layers it shares with others
  std::map<std::string, std::uint64_t> stages;  ///< key of each context stage of the project → bytes
  std::map<std::string, std::uint64_t> records;
};

struct PruneCall {
  transport::Remote* remote = nullptr;
  const parent::ParentSettings* settings = nullptr;
  const parent::ParentFacts* facts = nullptr;
  std::stop_token stop;
};

/// `ids`: images whose size is wanted. kDockerMissing, kDockerDenied, kRemoteFailed, kConnectionLost, kInterrupted.
Result<PruneSurvey> survey_parent(const PruneCall& call, std::string_view project, const std::vector<std::string>& ids,
                                  const std::vector<std::string>& records);

/// Removes what the plan says; gives name → why not for what stayed. Errors as survey_parent.
Result<std::map<std::string, std::string>> remove_pruned(const PruneCall& call, const std::vector<PruneStep>& steps);

}  // namespace otto::images
