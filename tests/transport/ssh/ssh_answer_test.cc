// When ssh is asked, and what is remembered of its answer; ssh is a program of the test's, its files are real.
#include "transport/ssh/ssh_answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "graph/base/fd.h"
#include "graph/base/whole_file.h"
#include "tests/support/temp_tree.h"

namespace otto::transport {
namespace {

class Remembered final : public SshAnswers {
 public:
  std::optional<std::string> recall(const std::string& question) override {
    const auto found = kept.find(question);
    return found != kept.end() ? std::optional(found->second) : std::nullopt;
  }
  void remember(const std::string& question, const std::string& answer) override { kept[question] = answer; }

  std::map<std::string, std::string> kept;
};

class SshAnswerTest : public ::testing::Test {
 protected:
  SshAnswerTest() : path_(::getenv("PATH")) {
    ::setenv("PATH", (tree_.path("bin").string() + ":" + path_).c_str(), 1);
    answer("hostname 10.0.0.7\\nuser lab\\n");
    tree_.write("ssh_config", "# nothing\n");
    tree_.write(".ssh/config", "Host leek\n  User lab\n", 0600);
    address_.id = "leek_seed";
    address_.host = "leek";
  }
  ~SshAnswerTest() override { ::setenv("PATH", path_.c_str(), 1); }

  /// Makes ssh print this, after the commands `first`.
  void answer(const std::string& text, const std::string& first = "") {
    tree_.write("bin/ssh",
                "#!/bin/sh\necho \"$*\" >>" + tree_.path("asked").string() + "\n" + first + "\nprintf '" + text + "'\n",
                0755);
  }
  std::string user() {
    const auto config = ssh_answer(address_, files_, &answers_, {});
    return config.ok() ? config->user.value_or("nobody's") : config.error().message;
  }
  /// How often ssh was asked so far.
  long asked() const {
    const auto lines = read_small_file(tree_.path("asked"));
    return lines.ok() ? std::ranges::count(*lines, '\n') : 0;
  }

  testing::TempTree tree_;
  std::string path_;
  SshConfigFiles files_{"/usr/bin/ssh", tree_.root().string(), tree_.path(".ssh/config"), tree_.path("ssh_config")};
  Remembered answers_;
  Address address_;
};

TEST_F(SshAnswerTest, IsRememberedWhereItFollowsFromFiles) {
  EXPECT_EQ(user(), "lab");
  EXPECT_EQ(user(), "lab");
  EXPECT_EQ(asked(), 1);
  const auto again = ssh_answer(address_, files_, &answers_, {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->hostname, "10.0.0.7");
  EXPECT_EQ(asked(), 1);
}

TEST_F(SshAnswerTest, AnotherQuestionIsAsked) {
  user();
  long expected = 1;
  const auto is_asked = [&](const char* what) {
    user();
    EXPECT_EQ(asked(), ++expected) << what;
    user();
    EXPECT_EQ(asked(), expected) << what << ", once";
  };
  address_.port = 2200;
  is_asked("a port");
  address_.user = "me";
  is_asked("a user");
  tree_.write(".ssh/config", "Host leek*\n  User lab\n", 0600);
  is_asked("the user's file");
  address_.host = "leek2";
  is_asked("a host");
  tree_.write("ssh_config", "Host *\n  Port 22\n");
  is_asked("the system's file");
  tree_.write("ssh", "another");
  files_.program = tree_.path("ssh");
  is_asked("ssh itself");
}

TEST_F(SshAnswerTest, WhatMayDifferEachTimeIsAskedEachTime) {
  tree_.write(".ssh/config", "Match exec true\n  User lab\n", 0600);
  EXPECT_EQ(user() + user(), "lablab");
  EXPECT_EQ(asked(), 2);
  EXPECT_TRUE(answers_.kept.empty());
  tree_.write(".ssh/config", "Host leek\n  User lab\n", 0600);
  ASSERT_TRUE(ssh_answer(address_, std::nullopt, &answers_, {}).ok()) << "an ssh whose files are not known";
  ASSERT_TRUE(ssh_answer(address_, files_, nullptr, {}).ok()) << "nobody to remember";
  EXPECT_EQ(asked(), 4);
  EXPECT_TRUE(answers_.kept.empty());
}

TEST_F(SshAnswerTest, WhatIsSilentIsNotAsked) {
  address_.host = "other";
  EXPECT_EQ(user(), "nobody's");
  EXPECT_EQ(asked(), 0);
  EXPECT_TRUE(answers_.kept.empty());
}

TEST_F(SshAnswerTest, OnlyWhatOttoHonoursIsKept) {
  answer("user lab\\nsetenv TOKEN=secret\\nport 22\\n");
  user();
  ASSERT_EQ(answers_.kept.size(), 1U);
  EXPECT_EQ(answers_.kept.begin()->second, "user lab\nport 22\n");
}

TEST_F(SshAnswerTest, AProxyCommandIsNotKept) {
  answer("user lab\\nproxycommand ncat --proxy-auth me:secret gate 22\\n");
  EXPECT_EQ(user() + user(), "lablab");
  EXPECT_EQ(asked(), 2);
  EXPECT_TRUE(answers_.kept.empty());
}

TEST_F(SshAnswerTest, FilesThatChangeWhileSshReadsThem) {
  answer("user lab\\n", "echo '# edited' >>" + files_.user);
  user();
  EXPECT_TRUE(answers_.kept.empty()) << "the answer may be that of the edited file";
}

TEST_F(SshAnswerTest, AComplaintIsNotKept) {
  tree_.write("bin/ssh", "#!/bin/sh\nprintf 'line 2: no argument\\r\\nterminating\\r\\n' >&2\nexit 255\n", 0755);
  const auto refused = ssh_answer(address_, files_, &answers_, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConfig);
  EXPECT_NE(refused.error().message.find("line 2: no argument\n"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(answers_.kept.empty());
}

}  // namespace
}  // namespace otto::transport
