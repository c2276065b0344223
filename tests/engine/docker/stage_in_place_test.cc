// Trees written in place: what running containers have mounted keeps its inode, what they wrote stays.
#include "engine/docker/stage.h"
#include "tests/engine/docker/stage_fixture.h"

namespace otto::docker {
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
  EXPECT_EQ(next.uploaded_files, 2U);
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
  EXPECT_TRUE(fs::exists(staged("conf/state.db")));
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

TEST_F(StageInPlaceTest, AnInterruptedChangeIsMadeGood) {
  auto before = facts(staged("conf/app.ini"));
  put("aaa", std::string(20'000'000, 'x'));
  put("conf/app.ini", "interrupted\n");
  auto wanted = scan(source());
  auto asked = request(wanted);
  std::stop_source stop;
  asked.progress = [&](std::uint64_t, std::uint64_t) { stop.request_stop(); };
  asked.stop = stop.get_token();
  ASSERT_FALSE(bring_stage(*parent_, {tools().root, false, false}, asked).ok());
  EXPECT_EQ(guard(first_.stamp).first, 75);
  // The edit is taken back, the new file dropped: by the manifests alone nothing would be left to do.
  write_file(staged("conf/app.ini"), "interrupt", 0644);
  fs::remove(source() / "aaa");
  put("conf/app.ini", "one = 1\n");
  auto next = bring();
  EXPECT_TRUE(next.repaired);
  expect_holds(first_.directory, scan(source()));
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

}  // namespace
}  // namespace otto::docker
