// Trees written in place: what running containers have mounted keeps its inode, what they wrote stays.
#include <sys/stat.h>

#include "engine/parent/remote_lock.h"
#include "engine/stage/stage.h"
#include "engine/stage/stage_script.h"
#include "tests/engine/stage/stage_fixture.h"

namespace otto::stage {
namespace {

class StageInPlaceTest : public StageFixture {
 protected:
  void SetUp() override {
    kind_ = StageKind::kInPlace;
    put("compose.yml", "services: {}\n");
    put("conf/app.ini", "one = 1\n");
    put("conf/run.sh", "#!/bin/sh\n", 0755);
    fs::create_symlink("app.ini", source() / "conf/link");
    first_ = bring();
  }

  fs::path staged(const std::string& path) { return fs::path(first_.directory) / path; }
  StageState first_;
};

TEST_F(StageInPlaceTest, HoldsTheSource) {
  expect_holds(first_.directory, scan(source()));
  EXPECT_EQ(guard(first_.stamp).first, 0);
  EXPECT_EQ(bring().uploaded_bytes, 0U);
}

TEST_F(StageInPlaceTest, AnEditKeepsTheInode) {
  auto before = facts(staged("conf/app.ini"));
  std::ifstream mounted(staged("conf/app.ini"));  // as a container has it; it also keeps the inode from being reused
  put("conf/app.ini", "two = 2 and longer\n");
  ::chmod((source() / "conf/run.sh").c_str(), 0700);
  auto script = facts(staged("conf/run.sh"));
  auto next = bring();
  EXPECT_EQ(next.uploaded_files, 1U) << "a mode is no content";
  EXPECT_EQ(next.directory, first_.directory);
  expect_holds(first_.directory, scan(source()));
  EXPECT_EQ(facts(staged("conf/app.ini")).st_ino, before.st_ino);
  EXPECT_EQ(facts(staged("conf/run.sh")).st_ino, script.st_ino);
  std::string seen;
  std::getline(mounted, seen);
  EXPECT_EQ(seen, "two = 2 and longer");
  put("conf/app.ini", "3\n");
  bring();
  EXPECT_EQ(read_file(staged("conf/app.ini")), "3\n");
  EXPECT_EQ(facts(staged("conf/app.ini")).st_ino, before.st_ino);
}

/// As after a laptop slept: the files that are staged by now are another's.
TEST_F(StageInPlaceTest, NothingIsWrittenInATurnThatIsOver) {
  parent::ParentFacts facts;
  facts.lock_root = (home_ / "locks/engine-1").string();
  const parent::TurnOf turn{"otto-p-me", "0a"};
  put("conf/app.ini", "mine = 1\n");
  const auto manifest = scan(source());
  StageRequest request;
  request.key = "ctx";
  request.kind = StageKind::kInPlace;
  request.source = source();
  request.wanted = &manifest;
  request.turn = turn;
  const auto bring_in_turn = [&] {
    return bring_stage(*parent_, tools(), request, parent::project_turn_text(facts, turn, kStageTurnLost));
  };
  for (const char* now : {"open 0b\n", "0a\n", ""}) {
    write_file(home_ / "locks/engine-1/project.otto-p-me.generation", now);
    const auto late = bring_in_turn();
    ASSERT_FALSE(late.ok()) << now;
    EXPECT_EQ(late.error().code, ErrorCode::kInputsChanged) << late.error().message;
    EXPECT_EQ(read_file(staged("conf/app.ini")), "one = 1\n");
  }
  write_file(home_ / "locks/engine-1/project.otto-p-me.generation", "open 0a\n");
  const auto in_time = bring_in_turn();
  ASSERT_TRUE(in_time.ok()) << in_time.error().message;
  EXPECT_EQ(read_file(staged("conf/app.ini")), "mine = 1\n");
}

TEST_F(StageInPlaceTest, WhatContainersWroteStays) {
  write_file(staged("conf/state.db"), "written by a container");
  write_file(staged("data/log"), "log");
  auto directory = facts(staged("conf")).st_ino;
  fs::remove(source() / "conf/app.ini");
  fs::remove(source() / "conf/link");
  put("compose.yml", "services: {a: {}}\n");
  auto next = bring();
  EXPECT_FALSE(next.repaired);
  EXPECT_FALSE(fs::exists(staged("conf/app.ini")));
  EXPECT_FALSE(fs::is_symlink(staged("conf/link")));
  EXPECT_EQ(read_file(staged("conf/state.db")), "written by a container");
  EXPECT_EQ(read_file(staged("data/log")), "log");
  EXPECT_EQ(facts(staged("conf")).st_ino, directory);
  fs::remove_all(source() / "conf");
  bring();
  EXPECT_FALSE(fs::exists(staged("conf/run.sh")));
  EXPECT_TRUE(fs::exists(staged("conf/state.db")));
}

TEST_F(StageInPlaceTest, WhatContainersChangedIsNotRepaired) {
  write_file(staged("conf/app.ini"), "changed by a container");
  EXPECT_EQ(bring().uploaded_bytes, 0U);
  EXPECT_EQ(guard(first_.stamp, "otto_stage_verify").first, 0);
  EXPECT_EQ(read_file(staged("conf/app.ini")), "changed by a container");
}

TEST_F(StageInPlaceTest, EmptiedDirectoriesGo) {
  fs::remove_all(source() / "conf");
  bring();
  EXPECT_FALSE(fs::exists(staged("conf")));
}

TEST_F(StageInPlaceTest, TypeChangesAndLinks) {
  fs::remove_all(source() / "conf");
  put("conf", "now a file");
  fs::remove(source() / "compose.yml");
  put("compose.yml/inside", "now a directory");
  bring();
  expect_holds(first_.directory, scan(source()));
  fs::remove(source() / "conf");
  fs::create_symlink("nowhere", source() / "conf");
  bring();
  fs::remove(source() / "conf");
  fs::create_symlink("elsewhere", source() / "conf");
  bring();
  expect_holds(first_.directory, scan(source()));
}

TEST_F(StageInPlaceTest, ADirectoryWithForeignFilesIsNotReplaced) {
  write_file(staged("conf/state.db"), "written by a container");
  fs::remove_all(source() / "conf");
  put("conf", "now a file");
  auto wanted = scan(source());
  auto refused = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_NE(refused.error().message.find("conf/state.db"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().hint.find("Move those files away"), std::string::npos) << refused.error().hint;
  for (const char* path : {"conf/state.db", "conf/app.ini", "conf/run.sh", "conf/link"})
    EXPECT_TRUE(fs::exists(fs::symlink_status(staged(path)))) << path;
  EXPECT_EQ(guard(first_.stamp).first, 0) << "nothing was changed";
  fs::remove(staged("conf/state.db"));
  bring();
  EXPECT_EQ(read_file(staged("conf")), "now a file");
}

TEST_F(StageInPlaceTest, AFileThatAContainerMadeSomethingElseIsNotReplaced) {
  for (const bool is_directory : {true, false}) {
    const auto theirs = staged("conf/app.ini");
    fs::remove_all(theirs);
    if (is_directory) {
      write_file(theirs / "kept", "written by a container");
    } else {
      ASSERT_EQ(::mkfifo(theirs.c_str(), 0644), 0);
    }
    const auto other = read_file(staged("conf/run.sh"));
    const auto undone = read_file(source() / "conf/app.ini");
    put("conf/app.ini", "edited " + std::to_string(is_directory));
    put("conf/run.sh", "edited too " + std::to_string(is_directory));
    const auto wanted = scan(source());
    const auto refused = bring_stage(*parent_, tools(), request(wanted));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("conf/app.ini is no file any more"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(read_file(staged("conf/run.sh")), other) << "nothing was changed";
    put("conf/app.ini", undone);
    EXPECT_TRUE(bring_stage(*parent_, tools(), request(scan(source()))).ok()) << "the edit was taken back";
    EXPECT_NE(read_file(staged("conf/run.sh")), other);
    fs::remove_all(theirs);
    put("conf/app.ini", "again " + std::to_string(is_directory));
    bring();
    EXPECT_EQ(read_file(theirs), "again " + std::to_string(is_directory));
  }
}

TEST_F(StageInPlaceTest, ALinkThatBecomesADirectoryIsReplaced) {
  fs::create_symlink("conf", source() / "way");
  bring();
  fs::remove(source() / "way");
  put("way/file", "f");
  bring();
  expect_holds(first_.directory, scan(source()));
}

TEST_F(StageInPlaceTest, LinksMadeByContainersAreNotFollowed) {
  write_file(home_ / "outside/app.ini", "mine");
  fs::remove_all(staged("conf"));
  fs::create_symlink(home_ / "outside", staged("conf"));
  put("conf/app.ini", "theirs");
  auto wanted = scan(source());
  auto refused = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("symbolic link"), std::string::npos) << refused.error().message;
  EXPECT_EQ(read_file(home_ / "outside/app.ini"), "mine");
}

TEST_F(StageInPlaceTest, UntilAllHasComeNothingIsTouched) {
  put("aaa", std::string(20'000'000, 'x'));
  put("conf/app.ini", "interrupted\n");
  fs::remove(source() / "conf/run.sh");
  auto wanted = scan(source());
  auto asked = request(wanted);
  std::stop_source stop;
  asked.progress = [&](std::uint64_t, std::uint64_t) { stop.request_stop(); };
  asked.stop = stop.get_token();
  ASSERT_FALSE(bring_stage(*parent_, {tools().root, false, false}, asked).ok());
  EXPECT_EQ(guard(first_.stamp).first, 0);
  EXPECT_EQ(read_file(staged("conf/app.ini")), "one = 1\n");
  EXPECT_TRUE(fs::exists(staged("conf/run.sh")));
  EXPECT_FALSE(fs::exists(staged("aaa")));
}

TEST_F(StageInPlaceTest, AnInterruptedChangeIsMadeGood) {
  // As a writer leaves it that is killed while it puts things into their places: by the manifests alone nothing would
  // be left to do.
  auto before = facts(staged("conf/app.ini"));
  fs::rename(stage_dir() / "stamp", stage_dir() / "stamp.old");
  write_file(stage_dir() / "pending", std::string("aaa\0conf/app.ini\0", 17));
  write_file(stage_dir() / "pending.modes", std::string("conf\0conf/run.sh\0", 17));
  write_file(staged("conf/app.ini"), "interrupt", 0644);
  write_file(staged("aaa"), "half");
  write_file(staged("conf/run.sh"), "written by a container", 0600);
  ::chmod(staged("conf").c_str(), 0700);
  auto next = bring();
  EXPECT_FALSE(next.repaired);
  EXPECT_EQ(next.uploaded_files, 1U);
  EXPECT_EQ(read_file(staged("conf/run.sh")), "written by a container");
  EXPECT_EQ(facts(staged("conf/run.sh")).st_mode & 07777U, 0755U);
  EXPECT_EQ(facts(staged("conf")).st_mode & 07777U, 0755U);
  EXPECT_FALSE(fs::exists(staged("aaa")));
  EXPECT_EQ(read_file(staged("conf/app.ini")), "one = 1\n");
  EXPECT_EQ(facts(staged("conf/app.ini")).st_ino, before.st_ino);
  EXPECT_EQ(bring().uploaded_bytes, 0U);
}

TEST_F(StageInPlaceTest, ALostStampKeepsTheTree) {
  write_file(staged("data/log"), "log");
  auto before = facts(staged("conf/app.ini"));
  fs::remove(stage_dir() / "stamp");
  auto next = bring();
  EXPECT_EQ(next.directory, first_.directory);
  EXPECT_EQ(next.uploaded_files, 4U);
  EXPECT_EQ(facts(staged("conf/app.ini")).st_ino, before.st_ino);
  EXPECT_TRUE(fs::exists(staged("data/log")));
}

TEST_F(StageInPlaceTest, OddNames) {
  for (const char* name : {"-rf", "new\nline", "sp ace", "d", "$(x)", "caf\xe9"}) put(name, name);
  bring();
  expect_holds(first_.directory, scan(source()));
  for (const char* name : {"-rf", "new\nline", "sp ace", "d", "$(x)", "caf\xe9"}) fs::remove(source() / name);
  bring();
  expect_holds(first_.directory, scan(source()));
}

TEST_F(StageInPlaceTest, AModeAloneKeepsWhatAContainerWrote) {
  write_file(staged("conf/app.ini"), "written by a container");
  auto before = facts(staged("conf/app.ini"));
  ::chmod((source() / "conf/app.ini").c_str(), 0600);
  ::chmod((source() / "conf").c_str(), 0700);
  EXPECT_EQ(bring().uploaded_files, 0U);
  EXPECT_EQ(read_file(staged("conf/app.ini")), "written by a container");
  EXPECT_EQ(facts(staged("conf/app.ini")).st_ino, before.st_ino);
  EXPECT_EQ(facts(staged("conf/app.ini")).st_mode & 07777U, 0600U);
  EXPECT_EQ(facts(staged("conf")).st_mode & 07777U, 0700U);
  set_mtime(source() / "conf/app.ini", {1'000'000'000, 5});
  EXPECT_EQ(bring().uploaded_bytes, 0U) << "nor is a touch content";
  // What a container removed or made a link is left alone, too.
  fs::remove(staged("conf/app.ini"));
  fs::create_symlink(home_ / "elsewhere", staged("conf/app.ini"));
  write_file(home_ / "elsewhere", "mine", 0644);
  ::chmod((source() / "conf/app.ini").c_str(), 0666);
  fs::remove(staged("conf/run.sh"));
  ::chmod((source() / "conf/run.sh").c_str(), 0700);
  bring();
  EXPECT_EQ(facts(home_ / "elsewhere").st_mode & 07777U, 0644U);
  EXPECT_FALSE(fs::exists(staged("conf/run.sh")));
}

TEST_F(StageInPlaceTest, AModeThatAContainerSetStays) {
  ::chmod(staged("conf").c_str(), 01777);
  ::chmod(staged("conf/app.ini").c_str(), 0666);
  put("conf/new", "n");
  bring();
  EXPECT_EQ(facts(staged("conf")).st_mode & 07777U, 01777U);
  EXPECT_EQ(facts(staged("conf/app.ini")).st_mode & 07777U, 0666U);
}

TEST_F(StageInPlaceTest, ReadOnlyFilesAndDirectoriesAreReplacedByAnAccountThatIsNotRoot) {
  as_account([&] {
    ::chmod((source() / "conf/app.ini").c_str(), 0444);
    put("ro/file", "one", 0444);
    put("ro/gone", "g", 0400);
    ::chmod((source() / "ro").c_str(), 0555);
    bring();
    expect_holds(first_.directory, scan(source()));
    auto inode = facts(staged("ro/file")).st_ino;
    std::ifstream mounted(staged("ro/file"));
    ::chmod((source() / "ro").c_str(), 0755);
    ::chmod((source() / "ro/file").c_str(), 0644);
    put("ro/file", "two, longer", 0444);
    fs::remove(source() / "ro/gone");
    put("ro/new", "n", 0400);
    ::chmod((source() / "ro").c_str(), 0555);
    bring();
    expect_holds(first_.directory, scan(source()));
    EXPECT_EQ(facts(staged("ro/file")).st_ino, inode);
    ::chmod((source() / "ro").c_str(), 0755);
    bring();
    expect_holds(first_.directory, scan(source()));
    fs::remove_all(source() / "ro");
    bring();
    EXPECT_FALSE(fs::exists(staged("ro")));
  });
}

class StageChownedTest : public StageInPlaceTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give files away as a container does";
    StageInPlaceTest::SetUp();
    as_account([] {});
  }
  void chown(const std::string& path) { ASSERT_EQ(::lchown(staged(path).c_str(), kAnother, kAnother), 0); }
  void expect_refused(const std::string& path) {
    as_account([&] {
      const auto wanted = scan(source());
      const auto refused = bring_stage(*parent_, tools(), request(wanted));
      ASSERT_FALSE(refused.ok());
      EXPECT_NE(refused.error().message.find("/" + path + " belongs to "), std::string::npos)
          << refused.error().message;
      EXPECT_EQ(refused.error().message.find('\n'), std::string::npos) << refused.error().message;
      EXPECT_NE(refused.error().hint.find("chown"), std::string::npos) << refused.error().hint;
      EXPECT_EQ(guard(first_.stamp).first, 0) << "nothing was changed";
      EXPECT_FALSE(fs::exists(stage_dir() / "pending"));
      EXPECT_EQ(read_file(staged("conf/app.ini")), "one = 1\n");
      EXPECT_EQ(read_file(staged("compose.yml")), "services: {}\n");
    });
  }
  /// All of this directory but what a container gave away goes to the account again.
  void as_account(const std::function<void()>& body) {
    const bool chowned = !first_.directory.empty() && fs::exists(staged("conf")) && owner("conf/app.ini") == kAnother;
    const bool chowned_directory = !first_.directory.empty() && owner("conf") == kAnother;
    give(home_, kAccount);
    if (chowned) chown("conf/app.ini");
    if (chowned_directory) chown("conf");
    as_account_as_is(body);
  }
  unsigned owner(const std::string& path) { return facts(staged(path)).st_uid; }
};

TEST_F(StageChownedTest, AFileThatMustBeWrittenIsNamed) {
  chown("conf/app.ini");
  put("compose.yml", "services: {a: {}}\n");
  as_account([&] { bring(); });  // need not change: nobody minds
  EXPECT_EQ(owner("conf/app.ini"), kAnother);
  put("compose.yml", "services: {}\n");
  as_account([&] { first_ = bring(); });
  ::chmod((source() / "conf/app.ini").c_str(), 0600);
  expect_refused("conf/app.ini");
  put("conf/app.ini", "edited\n");
  put("compose.yml", "services: {b: {}}\n");
  fs::remove(source() / "conf/run.sh");
  expect_refused("conf/app.ini");
  EXPECT_TRUE(fs::exists(staged("conf/run.sh")));
  ::lchown(staged("conf/app.ini").c_str(), kAccount, kAccount);
  as_account([&] { bring(); });
  EXPECT_EQ(read_file(staged("conf/app.ini")), "edited\n");
}

TEST_F(StageChownedTest, ADirectoryInWhichSomethingComesOrGoesIsNamed) {
  chown("conf");
  put("conf/new", "n");
  expect_refused("conf");
  fs::remove(source() / "conf/new");
  fs::remove(source() / "conf/run.sh");
  expect_refused("conf");
  put("conf/run.sh", "#!/bin/sh\n", 0755);
  put("conf/app.ini", "written over: that needs no directory\n");
  as_account([&] { bring(); });
  EXPECT_EQ(read_file(staged("conf/app.ini")), "written over: that needs no directory\n");
}

TEST_F(StageChownedTest, AFileThatGoesMayBeAnothers) {
  chown("conf/app.ini");
  fs::remove(source() / "conf/app.ini");
  as_account([&] { bring(); });
  EXPECT_FALSE(fs::exists(staged("conf/app.ini")));
}

}  // namespace
}  // namespace otto::stage
