// The options that stand for a verb: --list-labs, --list-hosts, --show-lab. They read configuration and memo, and
// contact nothing.
#pragma once

#include "cli/verbs/invocation.h"
#include "graph/base/result.h"

namespace otto::cli {

/// Does what the first of them asks for.
Result<int> run_listing(Invocation& invocation);

}  // namespace otto::cli
