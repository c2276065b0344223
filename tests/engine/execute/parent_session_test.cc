// The early question to a parent: asked before its answer is wanted, once, and only where it fits.
#include "engine/execute/parent_session.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/temp_tree.h"

namespace otto::execute {
namespace {

/// A repo whose parent is this machine, with a `docker` that notes each listing of images.
class EarlyQuestion : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.write("docker",
                "#!/bin/sh\n[ \"$1\" = image ] && { cat \"${0%/*}/images\"; echo \"$*\" >>\"${0%/*}/asked\"; }\n",
                0755);
    tree_.write("images", "image\tsha256:aaa\tp-api:0123\n");
    tree_.write("repo/.otto/settings.toml",
                "name = \"p\"\n[docker]\ncommand = [\"" + tree_.path("docker").string() + "\"]\n");
    state_ = tree_.path("state").string();
    WorkspaceOptions options;
    options.repo_dirs = {tree_.path("repo")};
    options.cwd = tree_.path("repo");
    options.getenv = [this](const char* name) -> const char* {
      return std::string_view(name) == "OTTO_STATE_DIR" ? state_.c_str() : nullptr;
    };
    auto workspace = Workspace::open(options, null_reporter());
    ASSERT_TRUE(workspace.ok()) << workspace.error().message;
    workspace_ = std::move(*workspace);
    auto targets = choose_targets(*workspace_, "local");
    ASSERT_TRUE(targets.ok()) << targets.error().message;
    auto session = ParentSession::begin(*workspace_, targets->front());
    ASSERT_TRUE(session.ok()) << session.error().message;
    session_.emplace(std::move(*session));
  }
  [[nodiscard]] int times_asked() const {
    std::ifstream asked(tree_.path("asked"));
    int lines = 0;
    for (std::string line; std::getline(asked, line);) ++lines;
    return lines;
  }
  void await_asked() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (times_asked() == 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  testing::TempTree tree_;
  std::string state_;
  std::unique_ptr<Workspace> workspace_;
  std::optional<ParentSession> session_;
};

TEST_F(EarlyQuestion, IsAskedBeforeItsAnswerIsWantedAndOnce) {
  session_->ask_early({.repositories = {"p-api"}});
  await_asked();
  EXPECT_EQ(times_asked(), 1);
  tree_.write("images", "image\tsha256:bbb\tp-api:0123\n");  // later than the answer
  ASSERT_TRUE(session_->connect().ok());
  const auto probe = session_->probe({.repositories = {"p-api"}});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(probe->image_ids, (std::map<std::string, std::string>{{"p-api:0123", "sha256:aaa"}}));
  EXPECT_EQ(times_asked(), 1);
  ASSERT_TRUE(session_->probe({.repositories = {"p-api"}}).ok());
  EXPECT_EQ(times_asked(), 2) << "an answer is used once";
}

TEST_F(EarlyQuestion, AnswersNoOther) {
  session_->ask_early({.repositories = {"p-api"}});
  await_asked();
  ASSERT_TRUE(session_->connect().ok());
  const auto probe = session_->probe({.images = {"p-api:0123"}, .repositories = {"p-api"}});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(times_asked(), 2);
}

TEST_F(EarlyQuestion, IsNotAskedWhereItWouldPull) {
  docker::ProbeRequest request{.repositories = {"p-api"}};
  request.bases.push_back({"debian", "", docker::Pull::kMissing});
  session_->ask_early(request);
  ASSERT_TRUE(session_->connect().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(times_asked(), 0);
}

}  // namespace
}  // namespace otto::execute
