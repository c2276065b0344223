#include "cli/render/graph_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/render/json.h"
#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

using docker::GraphNode;
using docker::NodeState;
using graph::NodeKind;
using graph::ReasonKind;
using ::testing::HasSubstr;
using ::testing::Not;

/// A stack of three containers; api has an edit and runs on base, which another container runs too.
docker::GraphReport graph_sample() {
  const std::vector<graph::Reason> edit = {{ReasonKind::kFileChanged, samples::kOddName, ""}};
  std::vector<graph::Reason> both = edit;
  both.push_back({ReasonKind::kBuildArgChanged, "VERSION", ""});
  docker::GraphReport report;
  report.parent = "pepper_seed";
  report.repo = "veggies";
  report.nodes = {{NodeKind::kImage, "base", NodeState::kFresh, {}, "", {1}},
                  {NodeKind::kDockerfile, "docker/\"base\"\\Dockerfile", NodeState::kFresh, {}, "", {}},
                  {NodeKind::kImage, "api", NodeState::kStale, both, "", {3, 0}},
                  {NodeKind::kContext, "api", NodeState::kStale, edit, "", {}},
                  {NodeKind::kRegistration, "pepper_seed.veggies.api", NodeState::kStale, {}, "image changed", {2}},
                  {NodeKind::kRegistration, "pepper_seed.veggies.db", NodeState::kFresh, {}, "", {0}},
                  {NodeKind::kBaseImage, "redis:7", NodeState::kUnknown, {}, "", {}},
                  {NodeKind::kRegistration, "pepper_seed.veggies.cache", NodeState::kFresh, {}, "", {6}},
                  {NodeKind::kStack, "otto-veggies-me", NodeState::kStale, {}, "", {4, 5, 7}}};
  return report;
}

TEST(GraphText, ATreeWithEverySharedNodeShownOnce) {
  const std::string text = render_graph(std::vector{graph_sample()}, kPipe);
  EXPECT_THAT(text, HasSubstr("base  image  fresh  (see above)\n"));
  expect_golden("graph.txt", text);
  expect_golden("graph_terminal.txt", render_graph(std::vector{graph_sample()}, kTerminal));
  expect_golden("graph_ascii.txt", render_graph(std::vector{graph_sample()}, {false, false, false, 0}));
}

TEST(GraphText, AReasonIsShownWithWhatItNames) {
  const std::string text = render_graph(std::vector{graph_sample()}, kPipe);
  EXPECT_EQ(text.find("file-changed"), text.rfind("file-changed"));
  EXPECT_LT(text.find("build-arg-changed"), text.find("file-changed"));
}

TEST(GraphText, DotIsQuoted) {
  const std::string dot = render_graph_dot(std::vector{graph_sample()});
  EXPECT_THAT(dot, HasSubstr(R"(docker/\"base\"\\Dockerfile)"));
  EXPECT_THAT(dot, Not(HasSubstr("\x1b")));
  expect_golden("graph.dot", dot);
}

TEST(GraphText, JsonNamesEdgesByIds) {
  const std::string text = json::graph(std::vector{graph_sample()});
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["nodes"][4]["inputs"], nlohmann::json::parse(R"(["image:api"])"));
  EXPECT_EQ(json["nodes"][8]["id"], "stack:otto-veggies-me");
  EXPECT_EQ(json["nodes"][2]["state"], "stale");
  expect_golden("graph.json", text);
}

}  // namespace
}  // namespace otto::cli
