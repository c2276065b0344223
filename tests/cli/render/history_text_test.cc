#include "cli/render/history_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/render/json.h"
#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr std::int64_t kNow = samples::kThen + 180'000;

TEST(HistoryText, ABuildALineWithItsReasons) {
  expect_golden("history_pipe.txt", render_history(samples::history(), kPipe));
  expect_golden("history_terminal.txt", render_history(samples::history(), kTerminal));
  EXPECT_EQ(render_history({}, kPipe), "no build is remembered here\n");
}

TEST(HistoryText, SeveralReposAreNamed) {
  auto builds = samples::history();
  EXPECT_THAT(render_history(builds, kPipe), Not(HasSubstr("Z  veggies  ")));
  builds[1].repo = "fruits";
  EXPECT_THAT(render_history(builds, kPipe), HasSubstr("Z  veggies  "));
}

TEST(HistoryText, ExplanationsSayBothVerdictAndLastBuild) {
  expect_golden("explain_pipe.txt", render_explanations(std::vector{samples::explained()}, kNow, kPipe));
  expect_golden("explain_terminal.txt", render_explanations(std::vector{samples::explained()}, kNow, kTerminal));
}

TEST(HistoryText, WhatCouldNotBeAskedIsNotInvented) {
  docker::ExplainReport report = samples::explained();
  report.parent_reachable = false;
  report.images.erase(report.images.begin(), report.images.begin() + 3);
  const std::string text = render_explanations(std::vector{report}, kNow, kPipe);
  EXPECT_THAT(text, HasSubstr("could not be asked"));
  EXPECT_THAT(text, HasSubstr("gone  unknown"));
  EXPECT_THAT(text, Not(HasSubstr("checked")));
}

TEST(HistoryText, JsonHasTheKeysOfTheInterface) {
  const std::string explained = json::explain(std::vector{samples::explained()});
  expect_golden("explain.json", explained);
  const Json json = Json::parse(explained);
  EXPECT_EQ(json.size(), 1U);
  for (const Json& image : json["images"]) {
    EXPECT_EQ(image.size(), 4U);
    for (const char* key : {"name", "tag", "last_build", "now"}) EXPECT_TRUE(image.contains(key)) << key;
    EXPECT_EQ(image["now"].size(), 2U);
  }
  EXPECT_TRUE(json["images"][2]["last_build"].is_null());
  EXPECT_EQ(json["images"][1]["last_build"]["at"], "2026-11-22T15:04:05Z");
  const Json both = Json::parse(json::explain(std::vector{samples::explained(), samples::explained()}));
  EXPECT_EQ(both["reports"][1]["parent"], "pepper_seed");
  EXPECT_EQ(both["reports"][1]["images"], json["images"]);
  expect_golden("history.json", json::history(samples::history()));
}

}  // namespace
}  // namespace otto::cli
