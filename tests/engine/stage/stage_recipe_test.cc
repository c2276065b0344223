// Large files that changed: the parent puts them together from what it has and a few bytes, or gets them whole.
#include "engine/stage/stage_recipe.h"

#include <algorithm>

#include "engine/stage/stage.h"
#include "tests/engine/stage/stage_fixture.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

class StageRecipeTest : public StageFixture {
 protected:
  StageRecipeTest() { put("big", big_); }

  StageState expect_small(std::uint64_t most = 60'000) {
    auto state = bring();
    EXPECT_LT(state.uploaded_bytes, most);
    EXPECT_FALSE(state.repaired);
    EXPECT_EQ(guard(state.stamp).first, 0);
    auto again = bring();
    EXPECT_EQ(again.uploaded_bytes, 0U);
    return state;
  }
  void expect_whole() {
    auto state = bring();
    EXPECT_GT(state.uploaded_bytes, big_.size() / 2);
    EXPECT_EQ(guard(state.stamp).first, 0);
  }
  std::vector<fs::path> lists() {
    std::vector<fs::path> found;
    for (const auto& item : fs::directory_iterator(stage_dir() / "chunks")) found.push_back(item.path());
    return found;
  }

  std::string big_ = noise(2'000'000, 1);
};

TEST_F(StageRecipeTest, AnEditInTheMiddleTravelsAsChunks) {
  auto first = bring();
  auto before = facts(first.directory + "/big");
  for (bool remember : {true, false}) {  // the list is the parent's: nothing depends on memory
    remember_ = remember;
    big_.insert(1'000'000, "inserted");
    put("big", big_, 0755);
    auto state = expect_small();
    EXPECT_EQ(state.uploaded_files, 1U);
    EXPECT_EQ(facts(state.directory + "/big").st_nlink, 1U);
    EXPECT_NE(facts(state.directory + "/big").st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  }
  ASSERT_EQ(lists().size(), 1U);
  EXPECT_EQ(lists()[0].filename(), graph::sha256(big_).hex());
  Chunker chunker(chunk_average(2'000'000));
  chunker.update(big_);
  EXPECT_TRUE(read_file(lists()[0]) == serialize(chunker.finish())) << "put together as if cut from the whole";
}

TEST_F(StageRecipeTest, AppendedShortenedAndEditedTogetherWithOthers) {
  put("dir/other.log", noise(1'000'000, 2));
  put("small", "s");
  bring();
  put("big", big_.substr(0, 1'500'000));
  put("dir/other.log", noise(1'000'000, 2) + "one more line\n");
  put("small", "S");
  fs::create_directory(source() / "new");
  put("new/file", "n");
  EXPECT_EQ(expect_small().uploaded_files, 4U);
  EXPECT_EQ(lists().size(), 2U);
}

TEST_F(StageRecipeTest, ANewVersionUnderANewName) {
  fs::rename(source() / "big", source() / "app-1.0.jar");
  put("lib/other.so", noise(1'900'000, 3));
  bring();
  fs::remove(source() / "app-1.0.jar");
  fs::remove_all(source() / "lib");
  big_[1'000'000] ^= 1;
  put("lib/$(app)-1.1 'x'\n\x81\xff.jar", big_);
  expect_small();
}

TEST_F(StageRecipeTest, AFileThatGrowsGetsCoarserChunks) {
  put("big", big_.substr(0, 600'000));
  bring();
  auto grown = big_.substr(0, 600'000);
  for (int times = 0; times < 5; ++times) grown += grown;
  put("big", grown);
  expect_small();
  EXPECT_EQ(parse_chunk_list(read_file(lists()[0]))->average, 4096U);
  for (int times = 0; times < 2; ++times) grown += grown;
  put("big", grown + "x");
  expect_small();
  EXPECT_GT(parse_chunk_list(read_file(lists()[0]))->average, 4096U);
}

TEST_F(StageRecipeTest, WithoutAListOrWithAWrongOneItGoesWhole) {
  bring();
  fs::remove_all(stage_dir() / "chunks");
  put("big", big_ += "x");
  expect_whole();
  write_file(lists()[0], "rubbish");
  put("big", big_ += "y");
  expect_whole();
  put("big", big_ += "!");
  expect_small();
}

TEST_F(StageRecipeTest, AWrongProposalIsFoundBeforeAnythingIsChanged) {
  bring();
  auto list = *parse_chunk_list(read_file(lists()[0]));
  std::rotate(list.chunks.begin(), list.chunks.begin() + 100, list.chunks.end());  // the right size, but wrong
  write_file(lists()[0], serialize(list));
  put("big", big_ += "x");
  put("other", "o");
  auto state = bring();
  EXPECT_GT(state.uploaded_bytes, big_.size());
  EXPECT_FALSE(state.repaired) << "the second exchange finds the stage as it was";
}

TEST_F(StageRecipeTest, AnEditedStageIsNoSource) {
  auto first = bring();
  write_file(first.directory + "/big", noise(2'000'000, 7));
  put("big", big_ += "x");
  auto state = bring();
  EXPECT_TRUE(state.repaired);
  EXPECT_GT(state.uploaded_bytes, big_.size());
}

TEST_F(StageRecipeTest, InPlaceTheInodeStaysAndWhatAContainerWroteIsNotBelieved) {
  kind_ = StageKind::kInPlace;
  auto first = bring();
  auto mounted = facts(first.directory + "/big").st_ino;
  big_.insert(5'000, "inserted");
  put("big", big_, 0600);
  auto state = bring();
  EXPECT_LT(state.uploaded_bytes, 60'000U);
  expect_holds(state.directory, scan(source()));
  EXPECT_EQ(facts(first.directory + "/big").st_ino, mounted);
  auto theirs = big_;
  theirs[1'500'000] ^= 1;
  write_file(first.directory + "/big", theirs, 0600);
  big_.insert(5'000, "again");
  put("big", big_, 0600);
  state = bring();
  EXPECT_GT(state.uploaded_bytes, big_.size());
  expect_holds(state.directory, scan(source()));
  EXPECT_EQ(facts(first.directory + "/big").st_ino, mounted);
}

TEST_F(StageRecipeTest, AnEditBetweenCuttingAndSendingIsRefused) {
  put("big", big_);
  auto wanted = scan(source());
  StagedEntries entries(wanted);
  auto old = big_;
  old.erase(1'000'000, 10);
  Chunker chunker(4096);
  chunker.update(old);
  StageBase base;
  base.manifest.entries = {{"big", graph::EntryType::kFile, 0644, old.size(), 1, graph::sha256(old), {}}};
  auto delta = plan_delta(base, entries, StageKind::kContext);
  auto candidates = recipe_candidates(delta, base, entries);
  ASSERT_EQ(candidates.size(), 1U);
  ASSERT_TRUE(make_recipes(delta, candidates, {{graph::sha256(old).hex(), chunker.finish()}}, below_source(), {}).ok());
  ASSERT_EQ(delta.recipes.size(), 1U);
  EXPECT_TRUE(delta.send.empty());
  big_[1'000'005] ^= 1;
  put("big", big_);
  LiteralReader reader(delta.recipes, below_source(), {});
  std::string bytes;
  auto more = reader.next(bytes);
  while (more.ok() && *more) more = reader.next(bytes);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code, ErrorCode::kInputsChanged);
}

}  // namespace
}  // namespace otto::stage
