#include "cli/render/prune_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/json.h"
#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

using docker::PruneKind;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Style kVerbose{false, true, true, 1};

docker::PruneReport prune_sample() {
  return {"pepper_seed",
          "veggies",
          {{PruneKind::kTag, "veggies-api:" + samples::kHashA, 12'300'000, ""},
           {PruneKind::kStage, "veggies-0123456789abcdef", 8192, ""},
           {PruneKind::kRecord, "veggies-old", 4096, ""}},
          {{PruneKind::kTag, "veggies-api:" + samples::kHashB, 12'400'000, "used by container x\x1b[31m"}},
          std::nullopt};
}

TEST(PruneText, WhatWentAndHowMuchItWas) {
  const std::string text = render_prune(std::vector{prune_sample()}, false, kPipe);
  EXPECT_THAT(text, Not(HasSubstr("kept")));
  expect_golden("prune.txt", text);
}

TEST(PruneText, VerboseSaysWhyTheRestStays) {
  const std::string text = render_prune(std::vector{prune_sample()}, true, kVerbose);
  EXPECT_THAT(text, HasSubstr("used by container x\\x1b[31m"));
  EXPECT_THAT(text, HasSubstr("would be removed"));
  expect_golden("prune_verbose.txt", text);
}

TEST(PruneText, NothingToDoIsOneLine) {
  docker::PruneReport report = prune_sample();
  report.removed.clear();
  EXPECT_EQ(render_prune(std::vector{report}, false, kPipe),
            "veggies on pepper_seed: nothing to prune (1 thing needed)\n");
}

TEST(PruneText, Json) { expect_golden("prune.json", json::prune(std::vector{prune_sample()})); }

}  // namespace
}  // namespace otto::cli
