// send and expect: on a terminal of this machine, and the search by itself.
#include "engine/hosts/host_session.h"

#include "tests/engine/hosts/local_access.h"

namespace otto::hosts {
namespace {

using std::chrono::milliseconds;
using testing::LocalAccess;

TEST(Transcript, TheFirstMatchIsTakenWithWhatIsBefore) {
  Transcript transcript;
  transcript.add("user: root\r\npassword: ");
  auto found = transcript.take({"pass(word|phrase): $", "user: ([a-z]+)"});
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->pattern, 1U);
  EXPECT_EQ((*found)->text, "user: root");
  EXPECT_EQ((*found)->groups, std::vector<std::string>{"root"});
  found = transcript.take({"pass(word|phrase): $"});
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->before, "\r\n");
  EXPECT_FALSE(*transcript.take({"password"}));
  EXPECT_EQ(transcript.take({"(unclosed"}).error().code, ErrorCode::kUsage);
}

TEST(Transcript, MuchTextAndNulBytes) {
  Transcript transcript;
  for (int i = 0; i < 100; ++i) transcript.add(std::string(100'000, 'x'));
  transcript.add(std::string("\0end", 4));
  const auto found = transcript.take({"[e]nd"});
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->before.size(), 8U * 1024 * 1024 - 3);
}

class Conversation : public ::testing::Test {
 protected:
  std::unique_ptr<Session> open(const std::string& name, const SessionOptions& options) {
    auto session = open_session(access_, names_, name, options);
    if (!session.ok()) ADD_FAILURE() << session.error().message;
    return session.ok() ? std::move(*session) : nullptr;
  }
  LocalAccess access_;
  std::shared_ptr<SessionNames> names_ = std::make_shared<SessionNames>();
};

TEST_F(Conversation, QuestionsAndAnswers) {
  const auto session = open(
      "talk",
      {.program = "printf 'name? '; read -r n; echo \"hello $n\"; printf 'more? '; read -r m; exit 5", .echo = false});
  ASSERT_TRUE(session->expect("name\\? $").ok());
  ASSERT_TRUE(session->send("otto\r").ok());
  const auto greeting = session->expect_any({"goodbye (.*)\r\n", "hello ([a-z]*)\r\n"});
  ASSERT_TRUE(greeting.ok()) << greeting.error().message;
  EXPECT_EQ(greeting->pattern, 1U);
  EXPECT_EQ(greeting->groups.at(0), "otto");
  ASSERT_TRUE(session->expect("more").ok());
  ASSERT_TRUE(session->send("\r").ok());
  EXPECT_EQ(*session->exit_code(), 5);
}

TEST_F(Conversation, SeveralAtOnceWithShellsOfTheirOwn) {
  const auto one = open("one", {}), two = open("two", {});
  ASSERT_TRUE(one->send("cd /usr; X=1\r").ok());
  ASSERT_TRUE(two->send("cd /tmp; X=2\r").ok());
  ASSERT_TRUE(one->send("echo \"$PWD <$X>\"\r").ok());
  ASSERT_TRUE(two->send("echo \"$PWD <$X>\"\r").ok());
  EXPECT_TRUE(two->expect("/tmp <2>").ok());
  EXPECT_TRUE(one->expect("/usr <1>").ok());
}

TEST_F(Conversation, ANameIsTakenWhileItsSessionIsOpen) {
  auto session = open("twice", {.program = "cat"});
  EXPECT_EQ(open_session(access_, names_, "twice", {}).error().code, ErrorCode::kUsage);
  session.reset();
  EXPECT_NE(open("twice", {.program = "cat"}), nullptr);
}

TEST_F(Conversation, WhatDoesNotComeLeavesWhatWasShown) {
  const auto session = open("late", {.program = "echo first; sleep 600.401", .echo = false});
  const auto late = session->expect("second", milliseconds(200));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kTimedOut);
  EXPECT_NE(late.error().message.find("session 'late' on 'here': 'second'"), std::string::npos);
  EXPECT_NE(late.error().message.find("first"), std::string::npos);
  EXPECT_TRUE(session->expect("first").ok());
  ASSERT_TRUE(session->send("\x03").ok());
  EXPECT_EQ(session->expect("second").error().code, ErrorCode::kRemoteFailed);
  EXPECT_EQ(*session->exit_code(), 130);
}

}  // namespace
}  // namespace otto::hosts
