// Which of a project's tags, stages and records on a parent are needed no longer, and why the others are.
//
// Pure function of what this user built there (the memo), what is wanted now and what the parent has. Tags that the
// memo does not know as built by this user are never candidates: they may be a colleague's. --dry-run and the removal
// use the same plan.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "otto/images.h"

namespace otto::images {

/// A hash tag that this user built there and that is still there.
struct OwnTag {
  std::string image;  ///< the image's name
  std::string tag;    ///< full reference
  std::string id;
};

struct PruneEvidence {
  std::vector<OwnTag> tags;                    ///< newest build first, each once
  std::map<std::string, std::string> current;  ///< protected tag → why: what is on disk now, what `up` used last
  std::map<std::string, std::string> latest;   ///< image → id of its `:latest` there; of declared images only
  std::map<std::string, std::string> users;    ///< image id or reference → a container that uses it
  std::set<std::string> needed_stages;         ///< of the contexts of the images declared now
  std::vector<std::string> stages;             ///< context stages of the project there
  std::vector<std::string> forgotten_records;  ///< records of images that are no longer declared
  unsigned keep = 0;                           ///< of each image, so many builds besides the protected ones
};

struct PruneStep {
  docker::PruneKind kind = docker::PruneKind::kTag;
  std::string name;
  std::string id;   ///< of a tag's image
  std::string why;  ///< of what is kept
};

struct PrunePlan {
  std::vector<PruneStep> remove, keep;
};

PrunePlan plan_prune(const PruneEvidence& evidence);

}  // namespace otto::images
