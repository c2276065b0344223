#include "engine/workspace/ssh_answer_memo.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "graph/base/fd.h"
#include "graph/base/whole_file.h"
#include "tests/support/temp_tree.h"

namespace otto::workspace {
namespace {

class SshAnswerMemoTest : public ::testing::Test {
 protected:
  SshAnswerMemoTest() { ::setenv("OTTO_STATE_DIR", tree_.path("state").c_str(), 1); }
  ~SshAnswerMemoTest() override { ::unsetenv("OTTO_STATE_DIR"); }

  testing::TempTree tree_;
};

TEST_F(SshAnswerMemoTest, OneProcessRemembersForTheNext) {
  {
    SshAnswerMemo first;
    EXPECT_EQ(first.recall("q"), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(tree_.path("state"))) << "asking makes no memo";
    first.remember("q", "user me\n");
    EXPECT_TRUE(first.take_warnings().empty());
  }
  SshAnswerMemo second;
  EXPECT_EQ(second.recall("q"), "user me\n");
  EXPECT_EQ(second.recall("Q"), std::nullopt);
}

TEST_F(SshAnswerMemoTest, QuestionsAreKeptAsDigests) {
  SshAnswerMemo memo;
  memo.remember("Host leek\n  ProxyCommand secret", "user me\n");
  const auto bytes = read_small_file(tree_.path("state/memo.db"));
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->find("secret"), std::string::npos);
  EXPECT_NE(bytes->find("user me"), std::string::npos);
}

TEST_F(SshAnswerMemoTest, WhereNothingCanBeKeptNothingIsSaid) {
  tree_.write("state", "a file");
  SshAnswerMemo memo;
  EXPECT_EQ(memo.recall("q"), std::nullopt);
  memo.remember("q", "user me\n");
  EXPECT_EQ(memo.recall("q"), std::nullopt);
  EXPECT_TRUE(memo.take_warnings().empty());
}

TEST_F(SshAnswerMemoTest, ADamagedMemoIsSetAsideWithAWord) {
  tree_.write("state/memo.db", std::string(8192, 'x'));
  SshAnswerMemo memo;
  EXPECT_EQ(memo.recall("q"), std::nullopt);
  memo.remember("q", "user me\n");
  EXPECT_EQ(memo.take_warnings().size(), 1U);
  EXPECT_EQ(SshAnswerMemo().recall("q"), "user me\n");
}

}  // namespace
}  // namespace otto::workspace
