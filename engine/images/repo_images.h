// A repo's images as they are on disk now, read with the memo's stat cache.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/workspace/opened.h"
#include "graph/base/result.h"

namespace otto::images {

/// Scans with the memo's stat cache. `before_scan` as in images::ReadRequest. Errors as images::read_images.
Result<RepoInputs> read_repo_images(workspace::Opened& workspace, const config::Settings& repo,
                                    const std::vector<std::string>& names,
                                    std::function<Result<void>(const RepoInputs&)> before_scan = {});
std::vector<std::string> names_of(const RepoInputs& images);

}  // namespace otto::images
