#include "engine/images/input_verdicts.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

using docker::ImageResult;
using docker::ImageStatus;
using graph::NodeKind;
using graph::Reason;
using graph::ReasonKind;

/// base and api, of one context each, on redis:7 and alpine:3.
struct Drawn {
  graph::Graph graph;
  graph::NodeId file, context, redis, alpine;

  Drawn() {
    const graph::NodeId base = graph.add(NodeKind::kImage, "base"), api = graph.add(NodeKind::kImage, "api");
    file = graph.add(NodeKind::kDockerfile, "docker/api.Dockerfile");
    context = graph.add(NodeKind::kContext, "api");
    redis = graph.add(NodeKind::kBaseImage, "redis:7");
    alpine = graph.add(NodeKind::kBaseImage, "alpine:3");
    for (const graph::NodeId input : {file, context, redis, alpine, base}) graph.add_input(api, input);
    graph.add_input(base, alpine);
  }
  static ImageResult image(const std::string& name, ImageStatus status, std::vector<Reason> reasons = {}) {
    ImageResult result;
    result.name = name;
    result.status = status;
    result.reasons = std::move(reasons);
    return result;
  }
};

TEST(InputVerdicts, AReasonIsOfTheInputThatItNames) {
  const Drawn drawn;
  const std::vector<Reason> why = {{ReasonKind::kFileChanged, "main.c", ""},
                                   {ReasonKind::kBaseChanged, "redis:7", ""},
                                   {ReasonKind::kUpstreamChanged, "base", ""}};
  const std::vector<ImageResult> images = {Drawn::image("base", ImageStatus::kCached),
                                           Drawn::image("api", ImageStatus::kStale, why)};
  const auto verdicts = input_verdicts(drawn.graph, images);
  ASSERT_EQ(verdicts.size(), 4U) << "an image of the repo has a verdict of its own";
  EXPECT_TRUE(verdicts.at(drawn.context).stale);
  EXPECT_EQ(verdicts.at(drawn.context).reasons, std::vector<Reason>{why[0]});
  EXPECT_EQ(verdicts.at(drawn.redis).reasons, std::vector<Reason>{why[1]});
  EXPECT_FALSE(verdicts.at(drawn.alpine).stale);
  EXPECT_FALSE(verdicts.at(drawn.file).stale);
}

TEST(InputVerdicts, AnImageThatWasNeverBuiltSaysNothingOfItsInputs) {
  const Drawn drawn;
  const std::vector<ImageResult> images = {
      Drawn::image("base", ImageStatus::kCached),
      Drawn::image("api", ImageStatus::kStale, {{ReasonKind::kNeverBuilt, "", ""}})};
  const auto verdicts = input_verdicts(drawn.graph, images);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_FALSE(verdicts.at(drawn.alpine).stale) << "base was compared with it";
}

TEST(InputVerdicts, WhatIsSharedIsStaleOnceByAllThatNameIt) {
  const Drawn drawn;
  const Reason moved{ReasonKind::kBaseChanged, "alpine:3", "1 → 2"};
  const std::vector<ImageResult> images = {Drawn::image("base", ImageStatus::kStale, {moved}),
                                           Drawn::image("api", ImageStatus::kStale, {moved})};
  EXPECT_EQ(input_verdicts(drawn.graph, images).at(drawn.alpine).reasons, std::vector<Reason>{moved});
}

}  // namespace
}  // namespace otto::images
