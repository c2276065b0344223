// The folder of a job on the parent, run by a real shell on this machine.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "engine/stage/stage_script.h"
#include "tests/support/temp_tree.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace otto::stack {
namespace {

namespace fs = std::filesystem;

class JobFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    transport::Route route;
    route.target.id = "local";
    route.target.protocol = transport::Protocol::kLocal;
    parent_ = std::make_unique<transport::Remote>(transport::connect(route, {}).value());
  }
  std::string said(const std::string& rest) {
    transport::Script script;
    script.text = stage::job_folder_text(tree_.root().string(), "compose") + rest;
    const auto output = parent_->run_job(script);
    EXPECT_TRUE(output.ok() && output->status.success());
    return output.ok() ? output->out : "";
  }
  void make(const std::string& name, std::chrono::minutes age) {
    tree_.write(name + "/env", "SECRET=1\n");
    fs::last_write_time(tree_.path(name), fs::file_time_type::clock::now() - age);
  }

  testing::TempTree tree_;
  std::unique_ptr<transport::Remote> parent_;
};

TEST_F(JobFolder, GoesWithTheJob) {
  const std::string folder = said("touch \"$otto_work/x\" && printf %s \"$otto_work\"\n");
  EXPECT_EQ(fs::path(folder).parent_path(), tree_.root());
  EXPECT_FALSE(fs::exists(folder));
}

/// Where nothing was ever staged, for a question alone: among the files of everybody, of which none is touched.
TEST_F(JobFolder, LiesAmongTemporaryFilesForAQuestionAndTouchesNoOthers) {
  make("compose.0123456789", std::chrono::minutes(90));
  make("build.0123456789", std::chrono::minutes(90));
  transport::Script script;
  script.text = "TMPDIR=" + tree_.root().string() + "\nexport TMPDIR\n" +
                stage::scratch_folder_text(tree_.path("never-staged").string(), "compose") +
                "printf %s \"$otto_work\"\n";
  const auto output = parent_->run_job(script);
  ASSERT_TRUE(output.ok() && output->status.success());
  EXPECT_EQ(fs::path(output->out).parent_path(), tree_.root());
  EXPECT_FALSE(fs::exists(output->out));
  EXPECT_FALSE(fs::exists(tree_.path("never-staged")));
  EXPECT_TRUE(fs::exists(tree_.path("compose.0123456789"))) << "somebody else's, by chance of that name";
  EXPECT_TRUE(fs::exists(tree_.path("build.0123456789")));
}

/// The shell waits for a command that ignores SIGTERM, nobody reads what it says, and the job is told to end twice: by
/// the order, and because otto goes.
TEST_F(JobFolder, GoesAtOnceWhenTheJobIsToEnd) {
  transport::Script script;
  script.text = stage::job_folder_text(tree_.root().string(), "compose") +
                "cd \"$otto_work\" && seq 5000 | xargs touch && cd / || exit 1\n: >\"$otto_work/ready\"\n"
                "otto_stubborn() { trap '' TERM; sleep 5; }\notto_awaited otto_stubborn\n";
  std::stop_source stop;
  script.stop = stop.get_token();
  std::jthread job([&] { static_cast<void>(parent_->run_job(script)); });
  const auto holds = [](const auto& condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  };
  const auto folder = [&] {
    const fs::directory_iterator first(tree_.root());
    return first == fs::directory_iterator() ? fs::path() : first->path();
  };
  ASSERT_TRUE(holds([&] { return fs::exists(folder() / "ready"); }));
  stop.request_stop();
  job.join();
  parent_.reset();
  EXPECT_TRUE(holds([&] { return folder().empty(); })) << "values that may be secrets stay behind";
}

TEST_F(JobFolder, ThoseOfKilledJobsAreRemovedLater) {
  make("compose.aaaaaaaaaa", std::chrono::hours(2));
  make("build.bbbbbbbbbb", std::chrono::hours(2));
  make("compose.cccccccccc", std::chrono::minutes(50));
  make("compose.dddddddddd", std::chrono::hours(2));
  make("compose-stack-0123456789abcdef", std::chrono::hours(2));
  make("build.x-0123456789abcdef", std::chrono::hours(2));
  const int held = ::open(tree_.path("compose.dddddddddd").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(held, LOCK_SH), 0);
  said(":\n");
  ::close(held);
  EXPECT_FALSE(fs::exists(tree_.path("compose.aaaaaaaaaa")));
  EXPECT_FALSE(fs::exists(tree_.path("build.bbbbbbbbbb")));
  EXPECT_TRUE(fs::exists(tree_.path("compose.cccccccccc"))) << "may be in the making";
  EXPECT_TRUE(fs::exists(tree_.path("compose.dddddddddd"))) << "its job lives";
  EXPECT_TRUE(fs::exists(tree_.path("compose-stack-0123456789abcdef")));
  EXPECT_TRUE(fs::exists(tree_.path("build.x-0123456789abcdef")));
}

TEST_F(JobFolder, IsHeldWhileTheJobLives) {
  const std::string locked = said("flock -n -x \"$otto_work\" true || printf held\n");
  EXPECT_EQ(locked, "held");
}

}  // namespace
}  // namespace otto::stack
