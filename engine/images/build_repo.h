// A repo's images on one parent: from their inputs as they are now to what is built, and the report of it.
//
// Where the inputs come from is the caller's: from disk (build_images.cc), or from a test's memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"
#include "otto/images.h"

namespace otto::images {

/// `names`: empty: all; `before_scan`: as in ReadRequest.
using ReadImages = std::function<Result<RepoInputs>(const std::vector<std::string>& names,
                                                    std::function<Result<void>(const RepoInputs&)> before_scan)>;

/// As docker::build_images, for the images `names` of one repo (empty: all) and a session that is begun, not connected.
Result<docker::BuildReport> build_repo(parent::ParentSession& session, const ReadImages& read,
                                       const std::vector<std::string>& names, const docker::BuildOptions& options);

}  // namespace otto::images
