#include "cache/parent_store.h"

#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

class Parents : public MemoTest {
 protected:
  Database database = open();
  ParentStore parents{database};
};

TEST_F(Parents, FactsAreOpaqueAndReplaced) {
  const std::string odd("{\"home\":\"/root\"}\n\0\xff", 19);
  EXPECT_EQ(*parents.facts("pepper"), std::nullopt);
  ASSERT_TRUE(parents.put_facts("pepper", "first").ok());
  ASSERT_TRUE(parents.put_facts("pepper", odd).ok());
  ASSERT_TRUE(parents.put_facts("salt", "").ok());
  EXPECT_EQ(*parents.facts("pepper"), odd);
  EXPECT_EQ(*parents.facts("salt"), "");
  ASSERT_TRUE(parents.forget_facts("pepper").ok());
  EXPECT_EQ(*parents.facts("pepper"), std::nullopt);
  EXPECT_EQ(*parents.facts("salt"), "");
  EXPECT_TRUE(parents.forget_facts("pepper").ok()) << "forgetting twice is forgetting once";
}

TEST_F(Parents, StagesByParentAndKey) {
  ASSERT_TRUE(parents.put_stage({"pepper", "k1", "stamp 1", std::string("\0m", 2)}).ok());
  ASSERT_TRUE(parents.put_stage({"pepper", "k2", "stamp 2", ""}).ok());
  ASSERT_TRUE(parents.put_stage({"pepper", "k1", "stamp 3", std::string("\0n", 2)}).ok());
  const auto stage = parents.stage("pepper", "k1");
  ASSERT_TRUE(stage.ok() && stage->has_value());
  EXPECT_EQ((*stage)->parent, "pepper");
  EXPECT_EQ((*stage)->key, "k1");
  EXPECT_EQ((*stage)->stamp, "stamp 3");
  EXPECT_EQ((*stage)->manifest, std::string("\0n", 2));
  EXPECT_FALSE(parents.stage("salt", "k1")->has_value());
  ASSERT_TRUE(parents.forget_stage("pepper", "k1").ok());
  EXPECT_FALSE(parents.stage("pepper", "k1")->has_value());
  EXPECT_TRUE(parents.stage("pepper", "k2")->has_value());
}

TEST_F(Parents, StacksByParentAndProject) {
  ASSERT_TRUE(parents.put_stack({"pepper", "repo1", "digest", "{}"}).ok());
  ASSERT_TRUE(parents.put_stack({"pepper", "repo1", "digest 2", "{\"a\":1}"}).ok());
  ASSERT_TRUE(parents.put_stack({"salt", "repo1", "digest 3", "{}"}).ok());
  const auto stack = parents.stack("pepper", "repo1");
  ASSERT_TRUE(stack.ok() && stack->has_value());
  EXPECT_EQ((*stack)->inputs, "digest 2");
  EXPECT_EQ((*stack)->model, "{\"a\":1}");
  ASSERT_TRUE(parents.forget_stack("pepper", "repo1").ok());
  EXPECT_FALSE(parents.stack("pepper", "repo1")->has_value());
  EXPECT_EQ((*parents.stack("salt", "repo1"))->inputs, "digest 3");
}

TEST_F(Parents, ContainersByParentAndComposeProject) {
  const ContainerRecord first{"c1", "api", 1, "sha256:a", "p-api:1", "d1", "ann"},
      second{"c2", "api", 2, "sha256:a", "p-api:1", ""};
  EXPECT_TRUE(parents.containers("pepper", "otto-p")->empty());
  ASSERT_TRUE(parents.put_containers("pepper", "otto-p", {second, first}).ok());
  ASSERT_TRUE(parents.put_containers("pepper", "otto-q", {{"c3", "db", 1, "sha256:b", "db:1", ""}}).ok());
  EXPECT_EQ(*parents.containers("pepper", "otto-p"), (std::vector<ContainerRecord>{first, second}));
  ASSERT_TRUE(parents.put_containers("pepper", "otto-p", {second}).ok());
  EXPECT_EQ(*parents.containers("pepper", "otto-p"), (std::vector<ContainerRecord>{second}));
  EXPECT_TRUE(parents.containers("salt", "otto-p")->empty());
  EXPECT_EQ(parents.containers("pepper", "otto-q")->size(), 1U);
}

}  // namespace
}  // namespace otto::cache
