// The early question to a parent: asked before its answer is wanted, once, and only where it fits.
#include "engine/parent/parent_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/temp_tree.h"

namespace otto::parent {
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
    auto targets = workspace::choose_targets(workspace_->opened(), "local");
    ASSERT_TRUE(targets.ok()) << targets.error().message;
    auto session = ParentSession::begin(workspace_->opened(), targets->front());
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
  ASSERT_TRUE(session_->ask_early({.repositories = {"p-api"}}).ok());
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
  ASSERT_TRUE(session_->ask_early({.repositories = {"p-api"}}).ok());
  await_asked();
  ASSERT_TRUE(session_->connect().ok());
  const auto probe = session_->probe({.images = {"p-api:0123"}, .repositories = {"p-api"}});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(times_asked(), 2);
}

TEST_F(EarlyQuestion, IsNotAskedWhereItWouldPull) {
  ProbeRequest request{.repositories = {"p-api"}};
  request.bases.push_back({"debian", "", Pull::kMissing});
  ASSERT_TRUE(session_->ask_early(request).ok());
  ASSERT_TRUE(session_->connect().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(times_asked(), 0);
}

/// A parent with the containers of the file `containers`: ID STATUS a line, as `docker ps` is asked for them.
class Containers : public EarlyQuestion {
 protected:
  void SetUp() override {
    EarlyQuestion::SetUp();
    tree_.write("docker", R"sh(#!/bin/sh
cd "${0%/*}"
case "$1 $2" in
"ps -a") while read -r id status; do printf 'state\t%s\tp-%s\t1 day ago\t%s\n' "$id" "$id" "$status"; done < containers ;;
"container inspect")
  echo again >> asked
  while read -r id status; do
    case " $* " in *" $id "*) printf 'container\t%s\tsha256:a\tpaused\t7\tapi\t1\td\tp-api:1\t/n\t\t0\t\n' "$id" ;; esac
  done < containers ;;
esac
)sh",
                0755);
    ASSERT_TRUE(session_->connect().ok());
  }
  /// What a probe tells of each, and whether it had to inspect.
  std::vector<std::string> told(const std::string& containers) {
    tree_.write("containers", containers);
    tree_.write("asked", "");
    const auto probe = session_->probe({.compose_project = "otto-p-me"});
    if (!probe.ok()) return {probe.error().message};
    std::vector<std::string> told;
    for (const ContainerState& each : probe->containers) {
      EXPECT_EQ(each.image_id + each.service + each.image + each.service_digest, "sha256:aapip-api:1d");
      told.push_back(each.id + " " + std::string(status_name(each.status)) + " " + std::to_string(each.exit_code));
    }
    std::sort(told.begin(), told.end());
    inspected_ = times_asked() == 1;
    return told;
  }
  bool inspected_ = false;
};

TEST_F(Containers, KnownOnesAreNotInspectedAgain) {
  using Told = std::vector<std::string>;
  EXPECT_EQ(told("c1 Up 2 hours\nc2 Exited (3) 5 minutes ago\n"), (Told{"c1 paused 7", "c2 paused 7"}));
  EXPECT_TRUE(inspected_);
  EXPECT_EQ(told("c2 Up 1 hour\nc1 Exited (137) 3 days ago\n"), (Told{"c1 exited 137", "c2 running 0"}));
  EXPECT_FALSE(inspected_);
  EXPECT_EQ(told("c1 Up 12 seconds (health: starting)\nc2 Up 3 hours (unhealthy)\n"),
            (Told{"c1 running 0", "c2 running 0"}));
  EXPECT_FALSE(inspected_);
  EXPECT_EQ(told("c1 Up 3 weeks (healthy)\n"), (Told{"c1 running 0"})) << "one less";
  EXPECT_FALSE(inspected_);
  EXPECT_EQ(told("c1 Up 3 weeks (healthy)\nc2 Created\n"), (Told{"c1 paused 7", "c2 paused 7"}))
      << "the one that went is known no longer";
  EXPECT_TRUE(inspected_);
  for (const char* unclear :
       {"Created", "Up 2 hours (Paused)", "Restarting (1) 5 seconds ago", "Dead", "Removal In Progress"}) {
    EXPECT_EQ(told("c1 Up 1 hour\nc2 " + std::string(unclear) + "\n"), (Told{"c1 paused 7", "c2 paused 7"}));
    EXPECT_TRUE(inspected_) << unclear;
  }
  EXPECT_EQ(told(""), Told());
  EXPECT_FALSE(inspected_);
}

}  // namespace
}  // namespace otto::parent
