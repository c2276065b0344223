// Stages edited by hand, half-written or fought over: each must converge, and no guard may pass a wrong one.
#include <fmt/format.h>
#include <sys/file.h>

#include <thread>

#include "engine/docker/stage.h"
#include "tests/engine/docker/stage_fixture.h"

namespace otto::docker {
namespace {

class StageRepairTest : public StageFixture {
 protected:
  void SetUp() override {
    put("a/one", "one");
    put("a/two", "two");
    put("b/three", "three", 0755);
    fs::create_symlink("one", source() / "a/link");
    first_ = bring();
  }

  /// The stage is put right, sending `files` files, and does not need it again.
  void expect_repair(std::uint64_t files) {
    EXPECT_EQ(guard(stamp_).first, 75);
    auto repaired = bring();
    EXPECT_TRUE(repaired.repaired);
    EXPECT_EQ(repaired.uploaded_files, files);
    EXPECT_EQ(repaired.directory, first_.directory);
    EXPECT_EQ(guard(repaired.stamp).first, 0);
    auto again = bring();
    EXPECT_FALSE(again.repaired);
    EXPECT_EQ(again.uploaded_bytes, 0U);
  }

  /// Sends a large change and stops once bytes are on their way.
  void interrupt_an_upload() {
    auto wanted = scan(source());
    auto asked = request(wanted);
    std::stop_source stop;
    asked.progress = [&](std::uint64_t, std::uint64_t) { stop.request_stop(); };
    asked.stop = stop.get_token();
    auto plain = tools();
    plain.has_zstd = plain.has_gzip = false;
    auto refused = bring_stage(*parent_, plain, asked);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInterrupted);
  }

  fs::path staged(const std::string& path) { return fs::path(first_.directory) / path; }
  StageState first_;
};

TEST_F(StageRepairTest, AnEditThatKeepsSizeAndMtimeIsSeen) {
  auto kept = facts(staged("a/one")).st_mtim;
  write_file(staged("a/one"), "ONE");
  set_mtime(staged("a/one"), kept);
  expect_repair(1);
  // The engine may have read the edit meanwhile: the same pair must not stand for the true content now.
  EXPECT_NE(facts(staged("a/one")).st_mtim.tv_nsec, kept.tv_nsec);
  write_file(staged("a/one"), "EIN");
  auto second = facts(staged("a/one")).st_mtim;
  expect_repair(1);
  EXPECT_NE(facts(staged("a/one")).st_mtim.tv_nsec, kept.tv_nsec);
  EXPECT_NE(facts(staged("a/one")).st_mtim.tv_nsec, second.tv_nsec);
}

TEST_F(StageRepairTest, ABumpedFileIsFollowedByOthersAsUsual) {
  write_file(staged("a/one"), "ONE");
  expect_repair(1);
  put("a/two", "TWO");
  EXPECT_EQ(bring().uploaded_files, 1U);
  put("a/one", "uno");
  EXPECT_EQ(bring().uploaded_files, 1U);
  remember_ = false;
  EXPECT_EQ(bring().uploaded_bytes, 0U);
}

TEST_F(StageRepairTest, ExtraEntriesAreRemoved) {
  write_file(staged("extra"), "x");
  write_file(staged("a/more/below"), "x");
  fs::create_symlink("/", staged("b/root"));
  expect_repair(0);
}

TEST_F(StageRepairTest, MissingEntriesComeBack) {
  fs::remove_all(staged("a"));
  fs::remove(staged("b/three"));
  expect_repair(4);
}

TEST_F(StageRepairTest, OtherTypesAreReplacedAndLinksNotFollowed) {
  write_file(home_ / "outside/one", "mine");
  write_file(home_ / "outside/two", "mine too");
  fs::remove_all(staged("a"));
  fs::create_symlink(home_ / "outside", staged("a"));
  fs::remove(staged("b/three"));
  fs::create_directories(staged("b/three/is/a/directory"));
  fs::remove_all(source() / "a/two");
  expect_repair(3);
  EXPECT_EQ(read_file(home_ / "outside/one"), "mine");
  EXPECT_EQ(read_file(home_ / "outside/two"), "mine too");
}

TEST_F(StageRepairTest, ModesAreRestored) {
  ::chmod(staged("b/three").c_str(), 0600);
  expect_repair(1);
}

TEST_F(StageRepairTest, DirectoryModesAreRestored) {
  ::chmod(staged("a").c_str(), 0);
  EXPECT_EQ(guard(stamp_).first, 75);
  EXPECT_TRUE(bring().repaired);
  EXPECT_EQ(guard(stamp_).first, 0);
}

TEST_F(StageRepairTest, AnEditByHandAndAnEditOfTheSourceTogether) {
  write_file(staged("a/one"), "by hand");
  put("a/one", "at home");
  put("b/new", "new");
  expect_repair(2);
}

TEST_F(StageRepairTest, ALostTreeOrStampMeansANewPath) {
  fs::remove_all(first_.directory);
  auto second = bring();
  EXPECT_NE(second.directory, first_.directory);
  fs::remove(stage_dir() / "stamp");
  auto third = bring();
  EXPECT_NE(third.directory, second.directory);
  EXPECT_FALSE(fs::exists(second.directory));
  fs::remove_all(stage_dir());
  auto fourth = bring();
  EXPECT_NE(fourth.directory, third.directory);
  EXPECT_EQ(guard(third.stamp).first, 75);
}

TEST_F(StageRepairTest, AStampOfAnotherShapeIsNotTrusted) {
  for (const char* text : {"", "otto-stage 2\ncontext\nx\ntree\ndata.x\n0\nend\n",
                           "otto-stage 1\ncontext\nx\n../../outside\ndata.x\n0\nend\n"}) {
    write_file(stage_dir() / "stamp", text);
    EXPECT_EQ(guard("x").first, 75);
    EXPECT_EQ(bring().uploaded_files, 4U);
  }
}

TEST_F(StageRepairTest, AWrongMemoryIsPutRightByTheParent) {
  believed_->entries[1].digest = graph::sha256("never staged");
  put("b/new", "new");
  EXPECT_EQ(bring().uploaded_files, 1U);
}

TEST_F(StageRepairTest, AMemoryOfWhatWasNeverStagedIsNotEnoughToDoNothing) {
  put("a/one", "never staged");
  believed_ = scan(source());
  EXPECT_EQ(bring().uploaded_files, 1U);
}

TEST_F(StageRepairTest, TheParentsStampOverridesMemory) {
  put("a/one", "another's");
  auto theirs = scan(source());
  auto other = request(theirs);
  ASSERT_TRUE(bring_stage(*parent_, tools(), other).ok());
  put("a/one", "one");
  EXPECT_EQ(bring().uploaded_files, 1U);
}

TEST_F(StageRepairTest, ADamagedManifestMeansANewTree) {
  for (const auto& item : fs::directory_iterator(stage_dir()))
    if (item.path().filename().string().starts_with("data.")) write_file(item.path() / "manifest", "rubbish\n");
  remember_ = false;
  auto second = bring();
  EXPECT_NE(second.directory, first_.directory);
  EXPECT_EQ(second.uploaded_files, 4U);
}

TEST_F(StageRepairTest, AnInterruptedUploadConverges) {
  put("aaa", std::string(20'000'000, 'x'));
  put("a/one", "changed");
  fs::remove(source() / "a/two");
  interrupt_an_upload();
  EXPECT_EQ(guard(first_.stamp).first, 75);
  fs::remove(source() / "aaa");
  auto next = bring();
  EXPECT_TRUE(next.repaired);
  EXPECT_EQ(next.directory, first_.directory);
  EXPECT_EQ(bring().uploaded_bytes, 0U);
}

TEST_F(StageRepairTest, AnInterruptedFirstUploadLeavesNothingBehind) {
  fs::remove_all(stage_root());
  put("aaa", std::string(20'000'000, 'x'));
  interrupt_an_upload();
  auto next = bring();
  EXPECT_EQ(guard(next.stamp).first, 0);
  std::size_t left = 0;
  for ([[maybe_unused]] const auto& item : fs::directory_iterator(stage_dir())) ++left;
  EXPECT_EQ(left, 4U) << "lock, stamp, tree and data";
}

TEST_F(StageRepairTest, TwoWritersTakeTurns) {
  auto ours = scan(source());
  write_file(home_ / "theirs/a/one", "theirs");
  write_file(home_ / "theirs/more", std::string(300'000, 'm'));
  auto theirs = scan(home_ / "theirs");
  auto other_parent = make_parent();
  Result<StageState> states[2] = {make_error(ErrorCode::kUsage, ""), make_error(ErrorCode::kUsage, "")};
  for (int round = 0; round < 4; ++round) {
    auto mine = request(ours);
    auto yours = request(theirs);
    yours.source = home_ / "theirs";
    std::jthread first([&] { states[0] = bring_stage(*parent_, tools(), mine); });
    std::jthread second([&] { states[1] = bring_stage(*other_parent, tools(), yours); });
    first.join();
    second.join();
    ASSERT_TRUE(states[0].ok()) << states[0].error().message;
    ASSERT_TRUE(states[1].ok()) << states[1].error().message;
    bool mine_last = guard(states[0]->stamp).first == 0;
    EXPECT_EQ(guard(states[1]->stamp).first, mine_last ? 75 : 0);
    expect_holds(states[mine_last ? 0 : 1]->directory, mine_last ? ours : theirs);
  }
}

TEST_F(StageRepairTest, WaitsForAReaderAndSaysSo) {
  int lock = ::open((stage_dir() / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_SH), 0);
  put("b/new", "new");
  auto wanted = scan(source());
  auto asked = request(wanted);
  bool waited = false;
  asked.waiting = [&] {
    waited = true;
    ::close(lock);
  };
  auto state = bring_stage(*parent_, tools(), asked);
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_TRUE(waited);
}

TEST_F(StageRepairTest, TheGuardPassesWhatIsThereAndNothingElse) {
  auto [code, tree] = guard(first_.stamp);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(tree, first_.directory + "\n");
  auto [stale, words] = guard("another stamp");
  EXPECT_EQ(stale, 75);
  EXPECT_EQ(words, "otto-stage-stale\n");
  EXPECT_EQ(guard(first_.stamp, "otto_stage_verify").first, 0);
  EXPECT_EQ(guard(first_.stamp, "echo x >\"$otto_stage_tree/a/one\"\notto_stage_verify").first, 75);
  fs::remove_all(stage_dir());
  EXPECT_EQ(guard(first_.stamp).first, 75);
}

}  // namespace
}  // namespace otto::docker
