// What is done about two containers of one: every kind that killing Compose left, and names that only look like it.
#include "engine/containers/half_replaced.h"

#include <gtest/gtest.h>

namespace otto::containers {
namespace {

constexpr const char* kOriginal = "0123456789abcdef0123456789abcdef";
constexpr const char* kNew = "fedcba987654fedcba987654fedcba98";

parent::ContainerState container(const std::string& id, const std::string& name, const std::string& status) {
  parent::ContainerState made;
  made.service = "api";
  made.id = id;
  made.name = name;
  made.status = parent::parse_status(status);
  return made;
}

/// "remove NAME", "rename NAME PLAIN"; then what is left: "PLAIN STATUS[ doomed]".
std::string outcome(std::vector<parent::ContainerState> containers, const std::set<std::string>& given = {}) {
  const Salvage salvaged = salvage(std::move(containers), given);
  std::string text;
  for (const PutRight& step : salvaged.steps) {
    text += step.act == PutRight::Act::kRemove ? "remove " + step.name + "; "
                                               : "rename " + step.name + " " + step.plain_name + "; ";
  }
  for (const parent::ContainerState& left : salvaged.containers) {
    text += left.name + " " + std::string(parent::status_name(left.status)) + (left.doomed ? " doomed" : "") + "; ";
  }
  return text;
}

TEST(TemporaryName, TwelveHexDigitsAndAnUnderscore) {
  const auto parsed = parent::temporary_name("0123456789ab_p-api-1");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->original_id, "0123456789ab");
  EXPECT_EQ(parsed->plain_name, "p-api-1");
  EXPECT_EQ(parent::temporary_name("0123456789ab_p_api_1")->plain_name, "p_api_1") << "v1's own underscores";
  for (const char* plain : {"p-api-1", "0123456789ab_", "0123456789a_p", "0123456789abc_p", "0123456789AB_p", ""}) {
    EXPECT_FALSE(parent::temporary_name(plain)) << plain;
  }
}

TEST(Salvage, HealthyContainersAreLeftAlone) {
  EXPECT_EQ(outcome({container(kOriginal, "p-api-1", "running"), container(kNew, "p-api-2", "exited")}),
            "p-api-1 running; p-api-2 exited; ");
}

TEST(Salvage, V2ReplacementBesideItsOriginal) {
  for (const char* original : {"running", "exited", "created"}) {
    EXPECT_EQ(outcome({container(kOriginal, "p-api-1", original), container(kNew, "0123456789ab_p-api-1", "created")}),
              std::string("remove 0123456789ab_p-api-1; p-api-1 ") + original + " doomed; ");
  }
}

TEST(Salvage, V2ReplacementWhoseOriginalIsGone) {
  EXPECT_EQ(outcome({container(kNew, "0123456789ab_p-api-1", "created")}),
            "rename 0123456789ab_p-api-1 p-api-1; p-api-1 created; ");
}

TEST(Salvage, StartedUnderTheTemporaryName) {
  EXPECT_EQ(outcome({container(kNew, "0123456789ab_p-api-1", "running")}),
            "rename 0123456789ab_p-api-1 p-api-1; p-api-1 running; ");
  EXPECT_EQ(outcome({container(kNew, "0123456789ab_p-api-1", "running"), container(kOriginal, "p-api-1", "exited")}),
            "remove 0123456789ab_p-api-1; p-api-1 exited doomed; ");
}

TEST(Salvage, V1OriginalWithoutReplacement) {
  EXPECT_EQ(outcome({container(kOriginal, "0123456789ab_p_api_1", "exited")}),
            "rename 0123456789ab_p_api_1 p_api_1; p_api_1 exited doomed; ");
}

TEST(Salvage, V1OriginalBesideItsReplacement) {
  EXPECT_EQ(outcome({container(kOriginal, "0123456789ab_p_api_1", "exited"), container(kNew, "p_api_1", "created")}),
            "remove p_api_1; rename 0123456789ab_p_api_1 p_api_1; p_api_1 exited doomed; ");
  EXPECT_EQ(outcome({container(kNew, "p_api_1", "created"), container(kOriginal, "0123456789ab_p_api_1", "exited")}),
            "remove p_api_1; rename 0123456789ab_p_api_1 p_api_1; p_api_1 exited doomed; ");
  for (const char* started : {"running", "exited"}) {
    EXPECT_EQ(outcome({container(kOriginal, "0123456789ab_p_api_1", "exited"), container(kNew, "p_api_1", started)}),
              std::string("remove 0123456789ab_p_api_1; p_api_1 ") + started + "; ");
  }
}

TEST(Salvage, OfTwoReplacementsOneIsKept) {
  EXPECT_EQ(outcome({container(kNew, "0123456789ab_p-api-1", "created"),
                     container("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbb_p-api-1", "created")}),
            "rename 0123456789ab_p-api-1 p-api-1; remove bbbbbbbbbbbb_p-api-1; p-api-1 created doomed; ");
}

TEST(Salvage, NamesThatTheFileGivesAreNobodysTemporaryOnes) {
  EXPECT_EQ(outcome({container(kNew, "0123456789ab_mine", "running")}, {"0123456789ab_mine"}),
            "0123456789ab_mine running; ");
}

}  // namespace
}  // namespace otto::containers
