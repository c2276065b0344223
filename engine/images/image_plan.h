// Is an image stale on a parent, and why: one computation gives the verdict and its explanation.
//
// Pure function of the image's inputs, what the parent has, what was asked for and what the memo remembers of the last
// build. --dry-run, --explain and the build all use it; nothing else decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/images/image_inputs.h"
#include "graph/reasons.h"

namespace otto::images {

/// What is remembered of an image's last build for this parent.
struct LastBuild {
  std::string hash;
  graph::BuiltFrom from;
};

struct ImageEvidence {
  bool present = false;            ///< the hash tag exists on the parent
  bool forced = false;             ///< --rebuild
  std::optional<LastBuild> here;   ///< on this parent
  bool built_here_before = false;  ///< exactly this hash was recorded as built on this parent
  std::string elsewhere;           ///< another parent that it was built on; empty: none known
  /// What the present tag was built from, as far as it is remembered.
  std::optional<graph::Fingerprint> present_from;
  /// Base images on the parent now: reference → the digests that each goes by, its id first.
  std::map<std::string, std::vector<graph::Digest>> bases;
  bool pull = false;  ///< --pull: a moved base image makes the image stale
};

struct ImageVerdict {
  bool stale = false;
  std::vector<graph::Reason> reasons;  ///< empty exactly where not stale
  std::vector<std::string> checked;    ///< what was compared: "Dockerfile", "812 files", "2 build args", …
};

ImageVerdict judge_image(const ImageInputs& image, const ImageEvidence& evidence);

}  // namespace otto::images
