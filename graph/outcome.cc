#include "graph/outcome.h"

#include "graph/base/result.h"

namespace otto::graph {

std::string_view node_end_name(NodeEnd end) {
  switch (end) {
    case NodeEnd::kOutside: return "outside";
    case NodeEnd::kFresh: return "fresh";
    case NodeEnd::kStale: return "stale";
    case NodeEnd::kActed: return "acted";
    case NodeEnd::kFailed: return "failed";
    case NodeEnd::kBlocked: return "blocked";
  }
  panic("unknown end of a node", __FILE__, __LINE__);
}

}  // namespace otto::graph
