// What there is and what depends on what: typed nodes, dense ids, edges, build order.
//
// A Graph is built once a command from the configuration; what is found while it is driven joins (drive.h). Pure: no
// files, clocks, sockets or SQL. Ids index the node table and are valid for one Graph only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/base/result.h"

namespace otto::graph {

enum class NodeKind { kImage, kContext, kDockerfile, kBaseImage, kStack, kStackFiles, kService, kRegistration };
inline constexpr std::size_t kNodeKinds = 8;
std::string_view node_kind_name(NodeKind kind);

struct NodeId {
  std::uint32_t index = 0;
  auto operator<=>(const NodeId&) const = default;
};

struct Node {
  NodeKind kind = NodeKind::kImage;
  std::string name;  ///< unique within its kind: an image's name, a context's root, a container's host id, …
  std::vector<NodeId> inputs;      ///< what it is made from, in the order they were added
  std::vector<NodeId> gates = {};  ///< what only has to have ended before it; no part of any order below
};

class Graph {
 public:
  /// The node of that kind and name, made if there is none yet.
  NodeId add(NodeKind kind, std::string_view name);
  /// `node` is made from `input`; adding an edge twice is adding it once.
  void add_input(NodeId node, NodeId input);
  /// `node` waits for `gate` without being made from it. They must not lead in a circle.
  void add_gate(NodeId node, NodeId gate);

  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id.index]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::vector<NodeId> nodes() const;
  [[nodiscard]] const Node* find(NodeKind kind, std::string_view name) const;
  [[nodiscard]] std::optional<NodeId> id(NodeKind kind, std::string_view name) const;

  /// Every node after its inputs; among equals in the order they were added. kConfig naming the path of a cycle:
  /// "images depend on each other: api -> base -> api".
  [[nodiscard]] Result<std::vector<NodeId>> topological_order() const;
  /// `roots` and everything they are made from, in topological order. A cycle elsewhere does not matter.
  [[nodiscard]] Result<std::vector<NodeId>> closure(const std::vector<NodeId>& roots) const;

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  using Names = std::unordered_map<std::string, NodeId, NameHash, std::equal_to<>>;

  [[nodiscard]] Result<std::vector<NodeId>> order_of(const std::vector<bool>& wanted) const;
  [[nodiscard]] std::string cycle_among(const std::vector<bool>& stuck) const;

  std::vector<Node> nodes_;
  std::array<Names, kNodeKinds> names_;
};

}  // namespace otto::graph
