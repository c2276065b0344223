// The turn at a project, with the real sh and flock: waiting, being told for whom, dying holders, notes.
#include "engine/parent/remote_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <future>

#include "tests/engine/parent/fake_docker.h"

namespace otto::parent {
namespace {

constexpr const char* kProject = "otto-p-me";

class ProjectLockTest : public ::testing::Test {
 protected:
  RemoteLock lock() { return {docker_.remote, docker_.facts, kProject, {}}; }
  std::string note(const std::string& name) {
    std::ifstream file(docker_.tree.path("locks/engine-1/project.otto-p-me." + name));
    std::string line;
    std::getline(file, line);
    return line;
  }

  FakeDocker docker_{"exit 0\n"};
};

TEST_F(ProjectLockTest, IsTakenAtOnceAndChangesTheGeneration) {
  {
    RemoteLock first = lock();
    const auto taken = first.take({});
    ASSERT_TRUE(taken.ok()) << taken.error().message;
    EXPECT_EQ(*taken, "") << "nobody had it before";
    EXPECT_TRUE(first.held());
    EXPECT_TRUE(is_open(note("generation"))) << "what is read now may be half of its work";
  }
  const std::string generation = note("generation");
  EXPECT_FALSE(generation.empty());
  EXPECT_FALSE(is_open(generation));
  RemoteLock second = lock();
  const auto taken = second.take({});
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_EQ(*taken, generation);
  EXPECT_NE(note("generation"), generation);
}

TEST_F(ProjectLockTest, WaitsAndSaysForWhomSinceWhen) {
  auto first = std::make_unique<RemoteLock>(docker_.remote, docker_.facts, kProject, std::stop_token());
  ASSERT_TRUE(first->take({}).ok());
  std::promise<LockHolder> told;
  RemoteLock second = lock();
  auto taken =
      std::async(std::launch::async, [&] { return second.take([&](const LockHolder& h) { told.set_value(h); }); });
  const LockHolder holder = told.get_future().get();
  EXPECT_EQ(holder.who, own_name());
  EXPECT_TRUE(holder.seconds.has_value());
  EXPECT_EQ(taken.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  first.reset();
  EXPECT_TRUE(taken.get().ok());
}

TEST_F(ProjectLockTest, WaitsForTheJobsOfAHolderThatIsGone) {
  docker_.tree.write("locks/engine-1/work.otto-p-me.lock", "");
  const std::string work = docker_.tree.path("locks/engine-1/work.otto-p-me.lock").string();
  const int job = ::open(work.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(job, LOCK_SH), 0);
  RemoteLock second = lock();
  auto taken = std::async(std::launch::async, [&] { return second.take({}); });
  EXPECT_EQ(taken.wait_for(std::chrono::milliseconds(600)), std::future_status::timeout);
  ::close(job);
  EXPECT_TRUE(taken.get().ok());
}

TEST_F(ProjectLockTest, WhatIsInDoubtStaysSoUntilItIsSettled) {
  docker_.tree.write("locks/engine-1/project.otto-p-me.doomed", "id1\n");
  {
    RemoteLock cut = lock();
    ASSERT_TRUE(cut.take({}).ok());
  }
  EXPECT_EQ(note("doomed"), "id1");
  {
    RemoteLock done = lock();
    ASSERT_TRUE(done.take({}).ok());
    done.settle();
  }
  EXPECT_EQ(note("doomed"), "");
}

TEST_F(ProjectLockTest, TheGenerationOfAHolderThatWasKilledStaysOpen) {
  auto cut = std::make_unique<RemoteLock>(docker_.remote, docker_.facts, kProject, std::stop_token());
  ASSERT_TRUE(cut->take({}).ok());
  const std::string held = note("generation");
  transport::Script kill;
  kill.text = "for p in /proc/[0-9]*; do case $(readlink $p/fd/7 2>/dev/null) in *" +
              docker_.tree.root().filename().string() + "*project.otto-p-me.lock) kill -9 ${p#/proc/} ;; esac; done\n";
  ASSERT_TRUE(docker_.remote.run(kill).ok());
  RemoteLock next = lock();
  const auto taken = next.take({});
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_EQ(*taken, held) << "what the probe may have told, too";
  EXPECT_TRUE(is_open(*taken));
}

TEST_F(ProjectLockTest, AnInterruptEndsTheWaiting) {
  RemoteLock first = lock();
  ASSERT_TRUE(first.take({}).ok());
  std::stop_source stop;
  RemoteLock second(docker_.remote, docker_.facts, kProject, stop.get_token());
  const auto taken = second.take([&](const LockHolder&) { stop.request_stop(); });
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kInterrupted);
}

TEST_F(ProjectLockTest, WithoutAPlaceForLocksItSaysSo) {
  docker_.tree.write("file", "");
  docker_.facts.lock_root = docker_.tree.path("file/locks").string();
  RemoteLock lock(docker_.remote, docker_.facts, kProject, {});
  const auto taken = lock.take({});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(taken.error().message.find("/file, cannot be made"), std::string::npos) << taken.error().message;
  EXPECT_FALSE(taken.error().hint.empty());
}

TEST(LockScript, NamesStayApartAndImagesShareOneOfTheirRepository) {
  EXPECT_EQ(lock_name("otto-p_1.x"), "otto-p_1.x");
  EXPECT_EQ(lock_name("a/b:c"), "a%2fb%3ac");
  EXPECT_EQ(image_lock("p-api:0123"), "image.p-api");
  EXPECT_EQ(image_lock("reg:5000/p-api:0123"), "image.reg%3a5000%2fp-api");
  EXPECT_EQ(image_lock("reg:5000/p-api"), "image.reg%3a5000%2fp-api");
}

TEST(LockScript, ReadsWhatAWaiterSays) {
  EXPECT_FALSE(read_waiting("anything else"));
  EXPECT_EQ(read_waiting("otto-waiting\tx\tann@laptop\t12")->who, "ann@laptop");
  EXPECT_EQ(read_waiting("otto-waiting\tx\tann@laptop\t12")->seconds, 12U);
  EXPECT_EQ(read_waiting("otto-waiting\tx\t\t")->seconds, std::nullopt);
  const auto noon = std::chrono::system_clock::from_time_t(1'000'000'000);
  EXPECT_EQ(waiting_for({"", 3}, noon), "for another otto");
  EXPECT_EQ(waiting_for({"ann@laptop", {}}, noon), "for ann@laptop");
  EXPECT_EQ(waiting_for({"ann@laptop", 3}, noon).substr(0, 21), "for ann@laptop, since");
}

}  // namespace
}  // namespace otto::parent
