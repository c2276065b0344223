// The check that every declared hop leads somewhere, for load_lab; route_to itself is declared in hosts.h.
//
// Must not know files. Values only.
#pragma once

#include "engine/config/hosts.h"
#include "graph/base/result.h"

namespace otto::config {

/// kConfig, naming the file and line of the hop: a hop to a host nobody declared (with the near-miss), to a host that
/// is not reached by ssh, or round in a cycle (naming its path).
Result<void> check_hops(const Lab& lab);

}  // namespace otto::config
