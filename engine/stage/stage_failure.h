// What a staging job that failed on the parent is called here, and what helps: one hint for each kind of trouble.
//
// Must not know the exchange. Pure.
#pragma once

#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto::stage {

/// The error for a job's exit status (StageExit) and the end of its standard error. kUnsupported where the parent lacks
/// a tool, else kIo.
Error stage_failure(int code, std::string_view host, std::string_view root, std::string words);

}  // namespace otto::stage
