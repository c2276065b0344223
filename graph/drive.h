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
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graph/base/result.h"
#include "graph/node.h"
#include "graph/outcome.h"

namespace otto::graph {

struct Rules {
  /// Whether a node that is found under way is to be driven; empty: it is.
  std::function<bool(NodeId node)> joins = {};
  /// The batch that a node is of; empty: it acts alone. Asked when the node is known.
  std::function<std::string(NodeId node)> batch = {};
  std::function<Result<Verdict>(NodeId node)> judge;
  /// Makes nodes of one batch true; empty: nothing is to be done for it by itself.
  std::function<Result<void>(std::span<const NodeId> nodes, const std::stop_token& stop)> act = {};
  /// Whether the node acts on the calling thread; empty: none does.
  std::function<bool(NodeId node)> acts_here = {};
  /// Whether a failure of the node ends the run, `keep_going` or not; empty: none's does.
  std::function<bool(NodeId node)> is_vital = {};
  /// Those of a batch that ended alike, with the error where they failed. May add nodes to the graph.
  std::function<void(std::span<const NodeId> nodes, NodeEnd end, const Result<void>& result)> ended = {};
};

/// The rules of each kind of node as one. No batch has nodes of two kinds. A node of a kind without rules does not
/// join.
Rules by_kind(const Graph& graph, std::map<NodeKind, Rules> kinds);

struct DriveOptions {
  unsigned jobs = 4;  ///< workers; up to 1: the calling thread does all of it
  bool keep_going = false;
  bool dry_run = false;  ///< nothing acts
  std::stop_token stop = {};
};

/// Drives `nodes`, and those that join, until all have ended; gives how each node of the graph did, by its index. A
/// node waits for its inputs and gates; those that are not driven count as ended. No two batches may wait for each
/// other.
std::vector<Outcome> drive(Graph& graph, const std::vector<NodeId>& nodes, const Rules& rules,
                           const DriveOptions& options);

}  // namespace otto::graph
