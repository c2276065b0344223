// The dependency graph as a tree on a terminal, and as a picture for Graphviz.
//
//   otto-veggies-me  stack  stale
//   ├─ pepper_seed.veggies.api  container  stale  image changed
//   │  └─ api  image  stale
//   │     ├─ docker/api.Dockerfile  dockerfile  fresh
//   │     ├─ api  context  stale
//   │     │  ~ file-changed src/catalog/tomato.txt
//   │     └─ base  image  fresh
//   └─ pepper_seed.veggies.db  container  fresh
//      └─ base  image  fresh  (see above)
//
// Nodes that nothing is made from are roots; a shared node's inputs are shown once. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

std::string render_graph(std::span<const docker::GraphReport> reports, const Style& style);

/// One digraph, a cluster for each repo and parent; edges from what is made to what it is made from.
std::string render_graph_dot(std::span<const docker::GraphReport> reports);

/// "image", …; a registration is a "container" to people and scripts.
std::string_view shown_node_kind(graph::NodeKind kind);

}  // namespace otto::cli
