#include "graph/node.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace otto::graph {
namespace {

std::vector<std::string> names(const Graph& graph, const std::vector<NodeId>& ids) {
  std::vector<std::string> result;
  for (const NodeId id : ids) result.push_back(graph.node(id).name);
  return result;
}

using Names = std::vector<std::string>;

TEST(Graph, AddsEachNameOfAKindOnce) {
  Graph graph;
  const NodeId image = graph.add(NodeKind::kImage, "api");
  EXPECT_EQ(graph.add(NodeKind::kImage, "api"), image);
  EXPECT_NE(graph.add(NodeKind::kContext, "api"), image);
  EXPECT_EQ(graph.size(), 2u);
  ASSERT_NE(graph.find(NodeKind::kImage, "api"), nullptr);
  EXPECT_EQ(graph.find(NodeKind::kImage, "api")->kind, NodeKind::kImage);
  EXPECT_EQ(graph.find(NodeKind::kStack, "api"), nullptr);
  EXPECT_EQ(graph.nodes(), (std::vector<NodeId>{{0}, {1}}));
}

TEST(Graph, KeepsAnEdgeOnceAndInOrder) {
  Graph graph;
  const NodeId image = graph.add(NodeKind::kImage, "api");
  const NodeId second = graph.add(NodeKind::kContext, "second");
  const NodeId first = graph.add(NodeKind::kContext, "first");
  graph.add_input(image, first);
  graph.add_input(image, second);
  graph.add_input(image, first);
  EXPECT_EQ(graph.node(image).inputs, (std::vector<NodeId>{first, second}));
}

TEST(Graph, OrdersInputsFirstAndElseAsAdded) {
  Graph graph;
  const NodeId api = graph.add(NodeKind::kImage, "api");
  const NodeId web = graph.add(NodeKind::kImage, "web");
  const NodeId db = graph.add(NodeKind::kImage, "db");
  const NodeId base = graph.add(NodeKind::kImage, "base");
  graph.add_input(api, base);
  graph.add_input(web, base);
  const auto order = graph.topological_order();
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(names(graph, *order), (Names{"db", "base", "api", "web"}));
  (void)db;
}

TEST(Graph, ClosureTakesOnlyWhatTheRootsAreMadeFrom) {
  Graph graph;
  const NodeId api = graph.add(NodeKind::kImage, "api");
  const NodeId base = graph.add(NodeKind::kImage, "base");
  const NodeId other = graph.add(NodeKind::kImage, "other");
  graph.add_input(api, base);
  graph.add_input(other, base);
  EXPECT_EQ(names(graph, *graph.closure({api, api})), (Names{"base", "api"}));
  EXPECT_EQ(names(graph, *graph.closure({other, api})), (Names{"base", "api", "other"}));
  EXPECT_TRUE(graph.closure({})->empty());
}

TEST(Graph, NamesThePathOfACycle) {
  Graph graph;
  const NodeId user = graph.add(NodeKind::kImage, "user-of-the-cycle");
  const NodeId api = graph.add(NodeKind::kImage, "api");
  const NodeId base = graph.add(NodeKind::kImage, "base");
  const NodeId context = graph.add(NodeKind::kContext, "ctx");
  graph.add_input(user, base);
  graph.add_input(api, context);
  graph.add_input(api, base);
  graph.add_input(base, api);
  const auto order = graph.topological_order();
  ASSERT_FALSE(order.ok());
  EXPECT_EQ(order.error().code, ErrorCode::kConfig);
  EXPECT_EQ(order.error().message, "images depend on each other: api -> base -> api");
  EXPECT_FALSE(order.error().hint.empty());
}

TEST(Graph, NamesAnImageMadeFromItself) {
  Graph graph;
  const NodeId api = graph.add(NodeKind::kImage, "api");
  graph.add_input(api, api);
  EXPECT_EQ(graph.topological_order().error().message, "images depend on each other: api -> api");
}

TEST(Graph, ClosureMindsOnlyItsOwnCycles) {
  Graph graph;
  const NodeId fine = graph.add(NodeKind::kImage, "fine");
  const NodeId a = graph.add(NodeKind::kImage, "a");
  const NodeId b = graph.add(NodeKind::kImage, "b");
  graph.add_input(a, b);
  graph.add_input(b, a);
  EXPECT_EQ(names(graph, *graph.closure({fine})), (Names{"fine"}));
  EXPECT_EQ(graph.closure({fine, b}).error().message, "images depend on each other: a -> b -> a");
}

TEST(Graph, FindsACycleThroughThousandsOfNodes) {
  constexpr std::uint32_t kNodes = 5000;
  Graph graph;
  for (std::uint32_t i = 0; i < kNodes; ++i) graph.add(NodeKind::kImage, fmt::format("n{}", i));
  for (std::uint32_t i = 0; i + 1 < kNodes; ++i) graph.add_input({i}, {i + 1});
  const auto chain = graph.topological_order();
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->front().index, kNodes - 1);
  EXPECT_EQ(chain->back().index, 0u);
  graph.add_input({kNodes - 1}, {kNodes - 1000});
  const auto order = graph.topological_order();
  ASSERT_FALSE(order.ok());
  const std::string& message = order.error().message;
  EXPECT_TRUE(message.starts_with("images depend on each other: n4000 -> n4001 -> ")) << message.substr(0, 80);
  EXPECT_TRUE(message.ends_with(" -> n4999 -> n4000"));
}

TEST(Graph, NamesEveryKind) {
  EXPECT_EQ(node_kind_name(NodeKind::kImage), "image");
  EXPECT_EQ(node_kind_name(NodeKind::kBaseImage), "base-image");
  EXPECT_EQ(node_kind_name(NodeKind::kRegistration), "registration");
}

}  // namespace
}  // namespace otto::graph
