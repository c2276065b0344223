#include "cache/ssh_answer_store.h"

#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

class SshAnswers : public MemoTest {
 protected:
  Database database = open();
  SshAnswerStore answers{database};
};

TEST_F(SshAnswers, AreFoundByTheirQuestion) {
  EXPECT_EQ(*answers.find("q1"), std::nullopt);
  ASSERT_TRUE(answers.put("q1", "user me\n").ok());
  ASSERT_TRUE(answers.put("q2", "").ok());
  EXPECT_EQ(*answers.find("q1"), "user me\n");
  EXPECT_EQ(*answers.find("q2"), "");
  ASSERT_TRUE(answers.put("q1", "user you\n").ok());
  EXPECT_EQ(*answers.find("q1"), "user you\n");
  EXPECT_EQ(ask(file, "SELECT count(*) FROM ssh_answer"), "2\n");
}

TEST_F(SshAnswers, TheOldestGoWhenThereAreTooMany) {
  ASSERT_TRUE(answers.put("kept", "first").ok());
  const auto put_many = [&](int from) {
    return database.in_transaction([&]() -> Result<void> {
      for (int i = from; i < from + SshAnswerStore::kMost - 1; ++i) {
        OTTO_RETURN_IF_ERROR(answers.put(std::to_string(i), "x"));
      }
      return {};
    });
  };
  ASSERT_TRUE(put_many(0).ok());
  EXPECT_EQ(*answers.find("kept"), "first");
  ASSERT_TRUE(answers.put("kept", "again").ok());  // the newest now
  ASSERT_TRUE(put_many(1'000'000).ok());
  EXPECT_EQ(*answers.find("kept"), "again");
  EXPECT_EQ(*answers.find("0"), std::nullopt);
  EXPECT_EQ(ask(file, "SELECT count(*) FROM ssh_answer"), std::to_string(SshAnswerStore::kMost) + "\n");
}

}  // namespace
}  // namespace otto::cache
