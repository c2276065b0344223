// How the repo's own images are put in place of what a Dockerfile calls them, for buildx. Pure.
//
// `--build-context NAME=IMAGE` leaves the Dockerfile as it is, but BuildKit takes it for a stage of that name, too. So
// what a stage is called as well is replaced in a copy of the text; so is what an ONBUILD names, which is looked up in
// builds that come later. (The legacy builder has copies only: legacy_build.h.)
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/images/build.h"
#include "graph/base/result.h"

namespace otto::images {

/// The tag that a reference is pinned to; nullptr: none.
const std::string* pin_of(const BuildRequest& request, std::string_view reference);

struct Pins {
  std::string dockerfile;                                    ///< what is to be built from
  std::vector<std::pair<std::string, std::string>> by_name;  ///< for --build-context: as spelled, and the tag
};

/// Errors as parse_dockerfile.
Result<Pins> pins_for_buildx(const BuildRequest& request);

}  // namespace otto::images
