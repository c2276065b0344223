#include "engine/images/pins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otto::images {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Pins pins_of(const std::string& dockerfile, const std::string& spelled = "repo1-base", const std::string& target = "") {
  BuildRequest request;
  request.dockerfile = dockerfile;
  request.target = target;
  request.pins = {{spelled, "repo1-base:1234"}, {"repo1-tool", "repo1-tool:5678"}};
  auto pins = pins_for_buildx(request);
  EXPECT_TRUE(pins.ok()) << pins.error().message;
  return std::move(*pins);
}

TEST(Pins, TheTextStaysWhereNoStageHasTheName) {
  const std::string text =
      "FROM repo1-base AS build\nFROM scratch\nCOPY --from=repo1-tool / /\nCOPY --from=build / /\n";
  const Pins pins = pins_of(text);
  EXPECT_EQ(pins.dockerfile, text);
  EXPECT_THAT(pins.by_name, ElementsAre(Pair("repo1-base", "repo1-base:1234"), Pair("repo1-tool", "repo1-tool:5678")));
}

/// BuildKit would take the image for the stage.
TEST(Pins, WhatAStageIsCalledTooIsReplacedInTheText) {
  const std::string rest = " AS other\nFROM scratch AS Repo1-Base\nCOPY x /\nFROM repo1-base\nCOPY --from=other / /\n";
  const Pins pins = pins_of("FROM repo1-base" + rest);
  EXPECT_EQ(pins.dockerfile, "FROM repo1-base:1234" + rest);
  EXPECT_THAT(pins.by_name, ElementsAre(Pair("repo1-tool", "repo1-tool:5678")));
}

/// A trigger is looked up when something is built from the image, where nobody gives names a meaning.
TEST(Pins, TriggersArePinnedInTheText) {
  const Pins pins = pins_of("FROM repo1-base\nONBUILD COPY --from=repo1-tool /t /t\nONBUILD COPY --from=build /o /o\n");
  EXPECT_EQ(pins.dockerfile,
            "FROM repo1-base\nONBUILD COPY --from=repo1-tool:5678 /t /t\nONBUILD COPY --from=build /o /o\n");
  EXPECT_EQ(pins.by_name.size(), 2U);
}

TEST(Pins, AStageOfTheSameNameAsItsImage) {
  EXPECT_EQ(pins_of("FROM repo1-base AS repo1-base\nRUN x\n").dockerfile,
            "FROM repo1-base:1234 AS repo1-base\nRUN x\n");
  EXPECT_EQ(pins_of("FROM repo1-base AS repo1-base\nRUN x\n", "repo1-base", "repo1-base").dockerfile,
            "FROM repo1-base:1234 AS repo1-base\nRUN x\n");
}

TEST(Pins, LatestAndTheRegistryOfDockerAreNoOtherName) {
  for (const std::string spelled : {"repo1-base:latest", "docker.io/library/repo1-base", "library/repo1-base:latest"}) {
    const Pins pins = pins_of("FROM " + spelled + " AS x\nFROM scratch AS repo1-base\nCOPY --from=x / /\n", spelled);
    EXPECT_EQ(pins.dockerfile, "FROM repo1-base:1234 AS x\nFROM scratch AS repo1-base\nCOPY --from=x / /\n");
    EXPECT_EQ(pins.by_name.size(), 1U) << spelled;
  }
}

}  // namespace
}  // namespace otto::images
