// One schedule for nodes of every kind: each is judged when its inputs have ended, and made true where it is stale.
//
// Knows kinds through Rules only. Nodes that may act in one call, which costs as much for many as for one, are a batch:
// they are come to together, once the inputs that they have outside of it have ended. When nodes end, the rules may add
// nodes to the graph, which join (services are known only once their stack's files are there). After the first failure
// nothing more is begun, and what runs may finish, as in ninja; with `keep_going` only what stands on it is not begun.
// `act` runs on workers, unless a node acts here, all else on the calling thread, which therefore may own the graph and
// the memo; while a worker acts, nobody may add nodes that it reads.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graph/base/result.h"
#include "graph/node.h"

namespace otto::graph {

/// How a node ended.
enum class NodeEnd {
  kOutside,  ///< it was not driven
  kFresh,    ///< nothing was to be done about it
  kStale,    ///< something was, and nothing was done: a dry run
  kActed,    ///< it was made true
  kFailed,   ///< it could not be judged, or not be made true
  kBlocked,  ///< not come to: an input failed, an earlier failure ended the run, or it was stopped
};

struct Rules {
  /// The batch that a node is of; empty: it acts alone. Asked when the node is known.
  std::function<std::string(NodeId node)> batch = {};
  /// Whether something is to be done about a node.
  std::function<Result<bool>(NodeId node)> is_stale;
  /// Makes nodes of one batch true.
  std::function<Result<void>(std::span<const NodeId> nodes, const std::stop_token& stop)> act;
  /// Whether the node acts on the calling thread; empty: none does.
  std::function<bool(NodeId node)> acts_here = {};
  /// Whether a failure of the node ends the run, `keep_going` or not; empty: none's does.
  std::function<bool(NodeId node)> is_vital = {};
  /// Those of a batch that ended alike, with the error where they failed. May add nodes to the graph.
  std::function<void(std::span<const NodeId> nodes, NodeEnd end, const Result<void>& result)> ended = {};
};

struct DriveOptions {
  unsigned jobs = 4;  ///< workers; up to 1: the calling thread does all of it
  bool keep_going = false;
  bool dry_run = false;  ///< nothing acts
  std::stop_token stop = {};
};

/// Drives `nodes`, and those that join, until all have ended; gives how each node of the graph did, by its index.
/// Inputs that are not driven count as ended. No two batches may wait for each other.
std::vector<NodeEnd> drive(Graph& graph, const std::vector<NodeId>& nodes, const Rules& rules,
                           const DriveOptions& options);

}  // namespace otto::graph
