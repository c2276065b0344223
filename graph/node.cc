#include "graph/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <utility>

namespace otto::graph {

std::string_view node_kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kImage: return "image";
    case NodeKind::kContext: return "context";
    case NodeKind::kDockerfile: return "dockerfile";
    case NodeKind::kBaseImage: return "base-image";
    case NodeKind::kStack: return "stack";
    case NodeKind::kStackFiles: return "stack-files";
    case NodeKind::kService: return "service";
    case NodeKind::kRegistration: return "registration";
  }
  panic("unknown node kind", __FILE__, __LINE__);
}

NodeId Graph::add(NodeKind kind, std::string_view name) {
  Names& names = names_[static_cast<std::size_t>(kind)];
  if (const auto found = names.find(name); found != names.end()) return found->second;
  const NodeId id{static_cast<std::uint32_t>(nodes_.size())};
  nodes_.push_back({kind, std::string(name), {}});
  names.emplace(name, id);
  return id;
}

void Graph::add_input(NodeId node, NodeId input) {
  OTTO_CHECK(node.index < nodes_.size() && input.index < nodes_.size());
  std::vector<NodeId>& inputs = nodes_[node.index].inputs;
  if (std::find(inputs.begin(), inputs.end(), input) == inputs.end()) inputs.push_back(input);
}

void Graph::add_gate(NodeId node, NodeId gate) {
  OTTO_CHECK(node.index < nodes_.size() && gate.index < nodes_.size());
  std::vector<NodeId>& gates = nodes_[node.index].gates;
  if (std::find(gates.begin(), gates.end(), gate) == gates.end()) gates.push_back(gate);
}

std::vector<NodeId> Graph::nodes() const {
  std::vector<NodeId> ids(nodes_.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) ids[i].index = i;
  return ids;
}

std::optional<NodeId> Graph::id(NodeKind kind, std::string_view name) const {
  const Names& names = names_[static_cast<std::size_t>(kind)];
  const auto found = names.find(name);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

const Node* Graph::find(NodeKind kind, std::string_view name) const {
  const Names& names = names_[static_cast<std::size_t>(kind)];
  const auto found = names.find(name);
  return found == names.end() ? nullptr : &nodes_[found->second.index];
}

Result<std::vector<NodeId>> Graph::topological_order() const { return order_of(std::vector<bool>(size(), true)); }

Result<std::vector<NodeId>> Graph::closure(const std::vector<NodeId>& roots) const {
  std::vector<bool> wanted(size(), false);
  std::vector<NodeId> open = roots;
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    OTTO_CHECK(id.index < size());
    if (wanted[id.index]) continue;
    wanted[id.index] = true;
    const std::vector<NodeId>& inputs = nodes_[id.index].inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return order_of(wanted);
}

/// Kahn's algorithm; of the nodes that are ready, the one added first goes first. `wanted` is closed under inputs.
Result<std::vector<NodeId>> Graph::order_of(const std::vector<bool>& wanted) const {
  std::vector<std::size_t> waiting(size(), 0);
  std::vector<std::vector<std::uint32_t>> users(size());
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (!wanted[i]) continue;
    ++total;
    waiting[i] = nodes_[i].inputs.size();
    for (const NodeId input : nodes_[i].inputs) users[input.index].push_back(i);
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<NodeId> order;
  order.reserve(total);
  std::vector<bool> stuck = wanted;
  while (!ready.empty()) {
    const std::uint32_t index = ready.top();
    ready.pop();
    order.push_back({index});
    stuck[index] = false;
    for (const std::uint32_t user : users[index]) {
      if (--waiting[user] == 0) ready.push(user);
    }
  }
  if (order.size() == total) return order;
  return make_error(ErrorCode::kConfig, fmt::format("images depend on each other: {}", cycle_among(stuck)),
                    "take one of these references out of its Dockerfile (FROM or COPY --from)");
}

/// The path of one cycle among `stuck` nodes (each has a stuck input), beginning with its node that was added first.
std::string Graph::cycle_among(const std::vector<bool>& stuck) const {
  const auto first = std::find(stuck.begin(), stuck.end(), true);
  auto at = static_cast<std::uint32_t>(first - stuck.begin());
  std::vector<std::uint32_t> path;
  std::vector<bool> seen(size(), false);
  while (!seen[at]) {
    seen[at] = true;
    path.push_back(at);
    const std::vector<NodeId>& inputs = nodes_[at].inputs;
    const auto next = std::find_if(inputs.begin(), inputs.end(), [&](NodeId input) { return stuck[input.index]; });
    OTTO_CHECK(next != inputs.end());
    at = next->index;
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  path.push_back(path.front());
  std::string text;
  for (const std::uint32_t index : path) text += (text.empty() ? "" : " -> ") + nodes_[index].name;
  return text;
}

}  // namespace otto::graph
