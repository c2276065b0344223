// What the schedule says of a node: its verdict, and how it ended. Words only, for whoever reads a schedule. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "graph/reasons.h"

namespace otto::graph {

/// How a node ended.
enum class NodeEnd {
  kOutside,  ///< it was not driven
  kFresh,    ///< nothing was to be done about it
  kStale,    ///< something was, and nothing was done: a dry run
  kActed,    ///< it was made true; of a kind that has no act: it was judged stale, and what stands on it acts
  kFailed,   ///< it could not be judged, or not be made true
  kBlocked,  ///< not come to: an input failed, an earlier failure ended the run, or it was stopped
};

/// "outside", "fresh", "stale", "acted", "failed", "blocked".
std::string_view node_end_name(NodeEnd end);

/// Whether something is to be done about a node, and why.
struct Verdict {
  bool stale = false;
  std::vector<Reason> reasons = {};
};

/// How a node of the graph did.
struct Outcome {
  NodeEnd end = NodeEnd::kOutside;
  std::vector<Reason> reasons = {};  ///< of its verdict
};

}  // namespace otto::graph
