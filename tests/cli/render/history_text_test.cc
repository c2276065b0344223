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
  EXPECT_EQ(render_history({}, kPipe), "nothing is remembered here\n");
}

TEST(HistoryText, SeveralReposAreNamed) {
  docker::History history = samples::history();
  EXPECT_THAT(render_history(history, kPipe), Not(HasSubstr("Z  veggies  ")));
  history.services[1].repo = "fruits";
  EXPECT_THAT(render_history(history, kPipe), HasSubstr("Z  veggies  "));
}

TEST(HistoryText, ExplanationsSayBothVerdictAndLastBuild) {
  expect_golden("explain_pipe.txt", render_explanations(std::vector{samples::explained()}, kNow, kPipe));
  expect_golden("explain_terminal.txt", render_explanations(std::vector{samples::explained()}, kNow, kTerminal));
}

TEST(HistoryText, WhatCouldNotBeAskedIsNotInvented) {
  docker::ExplainReport report = samples::explained();
  report.parent_reachable = false;
  report.images.erase(report.images.begin(), report.images.begin() + 3);
  report.services.erase(report.services.begin(), report.services.begin() + 2);
  const std::string text = render_explanations(std::vector{report}, kNow, kPipe);
  EXPECT_THAT(text, HasSubstr("could not be asked"));
  EXPECT_THAT(text, HasSubstr("gone  unknown  veggies-gone"));
  EXPECT_THAT(text, HasSubstr("gone  unknown  pepper_seed.veggies.gone\n  last removed"));
  EXPECT_THAT(text, Not(HasSubstr("checked")));
}

TEST(HistoryText, JsonHasTheKeysOfTheInterface) {
  const std::string explained = json::explain(std::vector{samples::explained()});
  expect_golden("explain.json", explained);
  const Json json = Json::parse(explained);
  EXPECT_EQ(json.size(), 2U);
  for (const Json& service : json["services"]) {
    EXPECT_EQ(service.size(), 4U);
    for (const char* key : {"service", "host_id", "last_action", "now"}) EXPECT_TRUE(service.contains(key)) << key;
  }
  EXPECT_EQ(json["services"][0]["now"]["reasons"][0]["kind"], "stopped");
  EXPECT_TRUE(json["services"][1]["last_action"].is_null());
  EXPECT_EQ(json["services"][2]["now"]["status"], "unknown");
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
