// Files that the stage has already under another name: they arrive, they do not travel, and no inode has two names.
#include "engine/stage/stage_reuse.h"

#include <fmt/format.h>

#include "engine/stage/stage.h"
#include "tests/engine/stage/stage_fixture.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

class StageReuseTest : public StageFixture {
 protected:
  static std::string noise(std::uint64_t seed) { return otto::noise(60'000, seed); }
  void expect_single_names(const StageState& state) {
    for (const auto& item : fs::recursive_directory_iterator(state.directory)) {
      EXPECT_TRUE(!item.is_regular_file() || facts(item.path()).st_nlink == 1) << item.path();
    }
    EXPECT_EQ(guard(state.stamp).first, 0);
    auto again = bring();
    EXPECT_EQ(again.uploaded_bytes, 0U);
    EXPECT_FALSE(again.repaired);
  }
  void expect_reused() {
    auto state = bring();
    EXPECT_EQ(state.uploaded_files, 0U);
    EXPECT_LT(state.uploaded_bytes, 25'000U);
    EXPECT_FALSE(state.repaired);
    expect_single_names(state);
  }
};

TEST_F(StageReuseTest, ARenamedFileKeepsItsInode) {
  put("old", noise(1), 0755);
  auto first = bring();
  auto before = facts(first.directory + "/old");
  fs::create_directory(source() / "dir");
  fs::rename(source() / "old", source() / "dir/caf\xe9\n'new");
  expect_reused();
  auto after = facts(first.directory + "/dir/caf\xe9\n'new");
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

TEST_F(StageReuseTest, ACopyIsAnotherFile) {
  put("one", noise(1));
  auto first = bring();
  for (auto name : {"two", "three/deep", "four"}) put(name, noise(1));
  ::chmod((source() / "four").c_str(), 0600);
  expect_reused();
  EXPECT_NE(facts(first.directory + "/one").st_ino, facts(first.directory + "/two").st_ino);
  EXPECT_EQ(facts(first.directory + "/one").st_mtim.tv_nsec, facts(first.directory + "/four").st_mtim.tv_nsec);
}

TEST_F(StageReuseTest, ARenamedDirectoryOfManyFiles) {
  for (int at = 0; at < 200; ++at)
    put(fmt::format("old/{}/{}", at % 7, at), noise(static_cast<std::uint64_t>(at)).substr(0, 5'000));
  bring();
  fs::rename(source() / "old", source() / "new");
  auto state = bring();
  EXPECT_EQ(state.uploaded_files, 0U);
  EXPECT_LT(state.uploaded_bytes, 100'000U);
  expect_single_names(state);
}

TEST_F(StageReuseTest, SwapsCyclesAndRenamesIntoWhatTheyReplace) {
  for (auto [name, seed] : {std::pair("a", 1U), {"b", 2U}, {"c", 3U}, {"into", 4U}, {"outer/inner", 5U}})
    put(name, noise(seed));
  bring();
  fs::rename(source() / "a", source() / "t");
  fs::rename(source() / "b", source() / "a");
  fs::rename(source() / "c", source() / "b");
  fs::rename(source() / "t", source() / "c");
  fs::rename(source() / "into", source() / "t");
  fs::create_directory(source() / "into");
  fs::rename(source() / "t", source() / "into/into");
  fs::rename(source() / "outer", source() / "t");
  fs::rename(source() / "t/inner", source() / "outer");
  fs::remove(source() / "t");
  expect_reused();
}

TEST_F(StageReuseTest, RenamedTwiceIsMovedOnceAndModesFollow) {
  put("old", noise(1), 0644);
  put("stays", noise(2), 0644);
  bring();
  fs::rename(source() / "old", source() / "x");
  put("y", noise(1), 0700);
  put("z", noise(2), 0444);
  ::chmod((source() / "stays").c_str(), 0711);
  expect_reused();
}

TEST_F(StageReuseTest, ATouchedSourceIsNotUsed) {
  put("old", noise(1));
  auto first = bring();
  auto time = facts(first.directory + "/old").st_mtim;
  write_file(first.directory + "/old", noise(2));
  set_mtime(first.directory + "/old", time);
  fs::rename(source() / "old", source() / "new");
  auto state = bring();
  EXPECT_EQ(state.uploaded_files, 1U);
  EXPECT_TRUE(state.repaired);
}

TEST_F(StageReuseTest, APairThatWouldLieIsNotTakenAlong) {
  put("old", noise(1));
  put("place", noise(2));
  auto wanted = scan(source());
  StageBase base{wanted, {{"old", 1}}, {}};
  for (auto& entry : wanted.entries) entry.path = "new " + entry.path;
  StagedEntries entries(wanted);
  auto delta = plan_delta(base, entries, StageKind::kContext);
  ASSERT_EQ(delta.moves.size(), 1U);
  EXPECT_EQ(delta.moves[0].from, "place");
  ASSERT_EQ(delta.send.size(), 1U);
  EXPECT_EQ(delta.send[0].entry->path, "new old");
}

TEST_F(StageReuseTest, InPlaceTheCopyIsCheckedAndWrittenOver) {
  kind_ = StageKind::kInPlace;
  put("data/old", noise(1), 0640);
  put("data/other", noise(2));
  auto first = bring();
  auto mounted = facts(first.directory + "/data/other").st_ino;
  fs::rename(source() / "data/old", source() / "data/new");
  put("data/other", noise(1), 0600);
  put("fresh/copy", noise(2));
  auto state = bring();
  EXPECT_EQ(state.uploaded_files, 0U);
  EXPECT_LT(state.uploaded_bytes, 20'000U);
  expect_holds(state.directory, scan(source()));
  EXPECT_EQ(facts(first.directory + "/data/other").st_ino, mounted);
}

TEST_F(StageReuseTest, InPlaceWhatAContainerWroteIsNotCopied) {
  kind_ = StageKind::kInPlace;
  put("data/old", noise(1));
  auto first = bring();
  write_file(first.directory + "/data/old", noise(3));
  put("data/new", noise(1));
  auto state = bring();
  EXPECT_EQ(state.uploaded_files, 1U);
  EXPECT_TRUE(read_file(first.directory + "/data/new") == noise(1));
  EXPECT_TRUE(read_file(first.directory + "/data/old") == noise(3));
}

TEST_F(StageReuseTest, WhereLinksCannotBeMadeTheFileIsSent) {
  put("old", noise(1));
  auto first = bring();
  auto wanted = scan(source());
  fs::rename(source() / "old", source() / "new");
  write_file(home_ / "bin/cp", "#!/bin/sh\nexit 1\n", 0755);
  write_file(home_ / "bin/tar", "#!/bin/sh\ncase \"$*\" in *links*) exit 2 ;; esac\nexec /usr/bin/tar \"$@\"\n", 0755);
  std::string path = std::getenv("PATH");
  ::setenv("PATH", ((home_ / "bin").string() + ":" + path).c_str(), 1);
  parent_ = make_parent();
  auto state = bring();
  ::setenv("PATH", path.c_str(), 1);
  parent_ = make_parent();
  EXPECT_EQ(state.uploaded_files, 1U);
  expect_single_names(state);
}

}  // namespace
}  // namespace otto::stage
