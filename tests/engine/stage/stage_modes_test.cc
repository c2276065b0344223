// Permission bits of directories: they travel, they count, and no path of a tree ever shows two of them.
#include <fmt/format.h>

#include "engine/stage/stage.h"
#include "tests/engine/stage/stage_fixture.h"

namespace otto::stage {
namespace {

class StageModesTest : public StageFixture {
 protected:
  void SetUp() override {
    put("usual/file", "u");
    put("tmp/file", "t");
    put("priv/deep/file", "p");
    put("grp/file", std::string(4'000, 'g'));
    put("closed/file", "c");
    put("closed/inner/file", "i");
    set("tmp", 01777);
    set("priv", 0700);
    set("grp", 02775);
    set("closed/inner", 0555);
    set("closed", 0555);
  }
  void TearDown() override {
    if (::geteuid() != 0) std::system(("chmod -R u+rwx " + home_.string()).c_str());
  }

  void set(const std::string& path, unsigned mode) { ASSERT_EQ(::chmod((source() / path).c_str(), mode), 0); }
  fs::path staged(const std::string& path) { return fs::path(first_.directory) / path; }
  std::string tree_name() const { return fs::path(first_.directory).filename().string(); }

  /// Brings the source and looks whether the tree came to another path, which it never had, without its files being
  /// sent again.
  void expect_path(bool is_new, std::uint64_t files = 0) {
    const auto inode = facts(staged("grp/file")).st_ino;
    const auto before = first_.directory;
    first_ = bring();
    EXPECT_EQ(first_.directory != before, is_new);
    EXPECT_EQ(fs::exists(before), !is_new);
    EXPECT_EQ(first_.uploaded_files, files);
    EXPECT_LT(first_.uploaded_bytes, 16'000U);
    EXPECT_EQ(facts(staged("grp/file")).st_ino, inode);
    EXPECT_EQ(guard(stamp_).first, 0);
    EXPECT_EQ(guard(stamp_).second, first_.directory + "\n");
    EXPECT_EQ(bring().uploaded_bytes, 0U);
    std::size_t left = 0;
    for (const auto& item : fs::directory_iterator(stage_dir()))
      if (item.path().filename() != "chunks" && item.path().filename() != "reserved") ++left;
    EXPECT_EQ(left, 5U) << "lock, who had it, stamp, tree, data";
  }

  StageState first_;
};

TEST_F(StageModesTest, TheyTravel) {
  first_ = bring();  // compares every mode
  EXPECT_EQ(facts(staged("tmp")).st_mode & 07777U, 01777U);
  expect_path(false);
}

TEST_F(StageModesTest, AnAccountThatIsNotRootBringsThemToo) {
  as_account([&] {
    first_ = bring();
    expect_path(false);
    set("closed", 0755);
    put("closed/more", "more");
    set("closed", 0555);
    expect_path(false, 1);
    set("closed", 0755);
    set("closed/inner", 0755);
    fs::remove(source() / "closed/inner/file");
    put("closed/inner/other", "o", 0444);
    fs::create_directory(source() / "closed/made");
    set("closed/inner", 0555);
    set("closed", 0555);
    expect_path(false, 1);
    set("closed", 0755);
    fs::rename(source() / "grp/file", source() / "closed/file");
    put("grp/file", std::string(4'000, 'h'));
    set("closed", 0500);
    first_ = bring();
    set("closed", 0755);
    set("closed/inner", 0755);
    fs::remove_all(source() / "closed");
    expect_path(true);
  });
}

TEST_F(StageModesTest, AChangeAloneGivesTheTreeAnotherPath) {
  first_ = bring();
  for (const unsigned mode : {0700U, 0755U, 02755U, 01777U, 0755U}) {
    set("usual", mode);
    expect_path(true);
  }
}

TEST_F(StageModesTest, AChangeWithOthersDoesToo) {
  first_ = bring();
  set("usual", 0700);
  put("usual/file", "edited");
  fs::rename(source() / "tmp/file", source() / "usual/renamed");
  expect_path(true, 2);
  fs::remove_all(source() / "usual");
  put("usual/file", "made again");
  expect_path(true, 1);
}

TEST_F(StageModesTest, WhatComesOrGoesWithAnUnusualModeDoesToo) {
  first_ = bring();
  put("more/file", "m");
  expect_path(false, 1);
  fs::remove_all(source() / "more");
  expect_path(false);
  put("more/file", "m");
  set("more", 0700);
  expect_path(true, 1);
  fs::remove_all(source() / "more");
  expect_path(true);
  put("more/file", "m");
  expect_path(false, 1);
}

TEST_F(StageModesTest, ADirectoryEditedByHandDoesTooAlsoWhenItIsAsItWas) {
  first_ = bring();
  for (const unsigned mode : {0700U, 0555U, 0U}) {
    ::chmod(staged("usual").c_str(), mode);
    EXPECT_EQ(guard(stamp_).first, 75);
    expect_path(true);
  }
  const auto stamp = stamp_;
  EXPECT_EQ(
      guard(stamp, "chmod 700 \"$otto_stage_tree/usual\"; chmod 755 \"$otto_stage_tree/usual\"\notto_stage_verify")
          .first,
      75);
  expect_path(true);
}

TEST_F(StageModesTest, AStageOfAnOlderOttoIsTakenOver) {
  for (const char* path : {"tmp", "priv", "grp", "closed", "closed/inner"}) set(path, 0755);
  first_ = bring();
  const auto grow_old = [&] {
    const auto listing =
        fmt::format("cd {} && sed -i '1s/2/1/' stamp && sed -z -i 's,//d 755 - .*,//d 755 - -,' data.*/listing",
                    stage_dir().string());
    ASSERT_EQ(std::system(listing.c_str()), 0);
  };
  grow_old();
  expect_path(false);
  EXPECT_FALSE(first_.repaired);
  grow_old();
  write_file(staged("usual/file"), "by hand");
  first_ = bring();
  EXPECT_TRUE(first_.repaired);
  // The older one remembered the modes of its scan, and had made all of them 755.
  set("tmp", 01777);
  set("closed", 0555);
  believed_ = scan(source());
  expect_path(true);
}

TEST_F(StageModesTest, AWriterKilledWhileItGaveTheTreeAnotherPathIsFollowed) {
  for (const bool moved : {false, true}) {
    SCOPED_TRACE(moved);
    first_ = bring();
    const auto before = first_;
    fs::rename(stage_dir() / "stamp", stage_dir() / "stamp.old");
    write_file(stage_dir() / "renaming", tree_name() + "\ntree.0123\n");
    if (moved) {
      fs::rename(first_.directory, stage_dir() / "tree.0123");
      first_.directory = stage_dir() / "tree.0123";
    }
    EXPECT_EQ(guard(stamp_).first, 75);
    expect_path(true);
    EXPECT_NE(first_.directory, before.directory);
    EXPECT_FALSE(first_.repaired);
  }
}

TEST_F(StageModesTest, AMarkThatIsLeftOverOrRubbishDoesNoHarm) {
  first_ = bring();
  write_file(stage_dir() / "renaming", tree_name() + "\ntree.0123\n");
  put("usual/file", "another");
  expect_path(false, 1);
  fs::rename(stage_dir() / "stamp", stage_dir() / "stamp.old");
  fs::rename(first_.directory, home_ / "elsewhere");
  write_file(stage_dir() / "renaming", "tree.no\n../../elsewhere\n");
  EXPECT_EQ(bring().uploaded_files, 6U);
  EXPECT_TRUE(fs::exists(home_ / "elsewhere"));
}

TEST_F(StageModesTest, InASetgidFolderNothingIsInherited) {
  ::chmod(home_.c_str(), 02755);
  as_account([&] {
    first_ = bring();
    EXPECT_EQ(facts(stage_dir()).st_mode & 07777U, 02700U) << "the premise";
    EXPECT_EQ(facts(first_.directory).st_mode & 07777U, 0755U);
    put("more/file", "m");
    expect_path(false, 1);
    kind_ = StageKind::kInPlace;
    fs::rename(stage_root(), home_ / "away");
    first_ = bring();
    expect_holds(first_.directory, scan(source()));
    EXPECT_EQ(facts(first_.directory).st_mode & 07777U, 0755U);
  });
}

TEST_F(StageModesTest, ADirectoryThatItsOwnerCouldNotReadIsRefusedByName) {
  auto wanted = scan(source());
  for (auto& entry : wanted.entries)
    if (entry.path == "priv") entry.mode = 0;
  as_account([&] {
    first_ = bring();
    for (const auto kind : {StageKind::kContext, StageKind::kInPlace}) {
      auto asked = request(wanted);
      asked.kind = kind;
      asked.key = kind == StageKind::kContext ? "ctx" : "mounts";
      const auto refused = bring_stage(*parent_, tools(), asked);
      ASSERT_FALSE(refused.ok());
      EXPECT_NE(refused.error().message.find("directory priv "), std::string::npos) << refused.error().message;
      EXPECT_NE(refused.error().hint.find("chmod u+rx"), std::string::npos);
    }
    EXPECT_EQ(guard(stamp_).first, 0) << "nothing was changed";
  });
}

}  // namespace
}  // namespace otto::stage
