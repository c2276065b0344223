#include "engine/images/prune_plan.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

std::string told(const std::vector<PruneStep>& steps) {
  std::string text;
  for (const PruneStep& step : steps) text += step.name + (step.why.empty() ? "" : " (" + step.why + ")") + "\n";
  return text;
}

/// Four builds of api, newest first, the newest of them current; one of base.
PruneEvidence builds() {
  PruneEvidence evidence;
  for (const char* hash : {"4", "3", "2", "1"}) {
    evidence.tags.push_back({"api", "p-api:" + std::string(hash), "sha256:" + std::string(hash)});
  }
  evidence.tags.push_back({"base", "p-base:1", "sha256:b"});
  evidence.current["p-api:4"] = "what is on disk now";
  return evidence;
}

TEST(PrunePlan, OnlyTheCurrentTagIsNeeded) {
  const PrunePlan plan = plan_prune(builds());
  EXPECT_EQ(told(plan.remove), "p-api:3\np-api:2\np-api:1\np-base:1\n");
  EXPECT_EQ(told(plan.keep), "p-api:4 (what is on disk now)\n");
}

TEST(PrunePlan, WhatAContainerUsesStaysByTagAndById) {
  PruneEvidence evidence = builds();
  evidence.users = {{"p-api:1", "old-api-1"}, {"sha256:3", "api-1"}};
  const PrunePlan plan = plan_prune(evidence);
  EXPECT_EQ(told(plan.remove), "p-api:2\np-base:1\n");
  EXPECT_EQ(
      told(plan.keep),
      "p-api:4 (what is on disk now)\np-api:3 (used by container api-1)\np-api:1 (used by container old-api-1)\n");
}

TEST(PrunePlan, KeepCountsOtherBuildsOfEachImage) {
  PruneEvidence evidence = builds();
  evidence.keep = 2;
  const PrunePlan plan = plan_prune(evidence);
  EXPECT_EQ(told(plan.remove), "p-api:1\n");
  EXPECT_EQ(plan.keep.size(), 4U);
  EXPECT_EQ(plan.keep[1].why, "among the newest 2 (--keep)");
}

TEST(PrunePlan, TheImageThatLatestNamesStays) {
  PruneEvidence evidence = builds();
  evidence.latest["api"] = "sha256:2";
  EXPECT_EQ(told(plan_prune(evidence).remove), "p-api:3\np-api:1\np-base:1\n");
}

TEST(PrunePlan, StagesAndRecordsThatNobodyDeclares) {
  PruneEvidence evidence;
  evidence.stages = {"p-00", "p-11"};
  evidence.needed_stages = {"p-11"};
  evidence.forgotten_records = {"p-old"};
  const PrunePlan plan = plan_prune(evidence);
  EXPECT_EQ(told(plan.remove), "p-00\np-old\n");
  EXPECT_EQ(told(plan.keep), "p-11 (holds a context that is declared)\n");
  EXPECT_EQ(plan.remove[0].kind, docker::PruneKind::kStage);
  EXPECT_EQ(plan.remove[1].kind, docker::PruneKind::kRecord);
}

}  // namespace
}  // namespace otto::images
