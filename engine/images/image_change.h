// What made an image another one than before, along the images that it is built from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/base/result.h"
#include "graph/reasons.h"

namespace otto::images {

/// Why the repo's image of that name was, or would be, built; empty: it was not, or that is not remembered.
using ReasonsOf = std::function<Result<std::vector<graph::Reason>>(const std::string& image)>;

/// For people: "base → api: file-changed app.py, and 2 more"; empty: not remembered. Errors are those of `reasons_of`.
Result<std::string> image_change(const std::string& image, const ReasonsOf& reasons_of);

}  // namespace otto::images
