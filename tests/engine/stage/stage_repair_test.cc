// Stages edited by hand, half-written or fought over: each must converge, and no guard may pass a wrong one.
#include <fmt/format.h>
#include <sys/file.h>

#include <atomic>
#include <future>
#include <thread>

#include "engine/stage/stage.h"
#include "engine/stage/stage_delta.h"
#include "engine/stage/stage_script.h"
#include "tests/engine/stage/stage_fixture.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

/// Everything as the real transport does, until `limit` bytes were written by this connection's processes together.
class CuttableTransport : public transport::Transport {
 public:
  CuttableTransport(std::unique_ptr<transport::Transport> real, std::int64_t limit)
      : real_(std::move(real)), left_(limit) {}

  Result<std::unique_ptr<transport::Process>> start(const transport::Command& command, std::stop_token stop) override {
    if (cut()) return lost();
    OTTO_TRY(auto process, real_->start(command, std::move(stop)));
    return std::unique_ptr<transport::Process>(std::make_unique<Cuttable>(*this, std::move(process)));
  }
  [[nodiscard]] const std::string& host_id() const override { return real_->host_id(); }
  [[nodiscard]] transport::Counters counters() const override { return real_->counters(); }
  [[nodiscard]] bool cut() const { return left_ < 0; }
  [[nodiscard]] std::int64_t left() const { return left_; }

 private:
  static Error lost() { return make_error(ErrorCode::kConnectionLost, "the cable was pulled"); }

  class Cuttable : public transport::Process {
   public:
    Cuttable(CuttableTransport& owner, std::unique_ptr<transport::Process> real)
        : owner_(owner), real_(std::move(real)) {}
    Result<void> write(std::string_view bytes, std::stop_token stop) override {
      auto before = owner_.left_.fetch_sub(static_cast<std::int64_t>(bytes.size()));
      if (before >= static_cast<std::int64_t>(bytes.size())) return real_->write(bytes, std::move(stop));
      if (before > 0) static_cast<void>(real_->write(bytes.substr(0, static_cast<std::size_t>(before)), stop));
      static_cast<void>(real_->close_stdin());
      return lost();
    }
    Result<void> close_stdin() override { return real_->close_stdin(); }
    Result<std::optional<transport::Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
      auto chunk = real_->read(timeout, std::move(stop));
      if (owner_.cut()) return lost();
      return chunk;
    }
    Result<transport::ExitStatus> wait(std::stop_token stop) override {
      if (owner_.cut()) return lost();
      return real_->wait(std::move(stop));
    }
    Result<void> signal(std::string_view name) override { return real_->signal(name); }
    Result<void> resize(unsigned columns, unsigned rows) override { return real_->resize(columns, rows); }

   private:
    CuttableTransport& owner_;
    std::unique_ptr<transport::Process> real_;
  };

  std::unique_ptr<transport::Transport> real_;
  std::atomic<std::int64_t> left_;
};

class StageRepairTest : public StageFixture {
 protected:
  void SetUp() override {
    put("a/one", "one");
    put("a/two", "two");
    put("b/three", "three", 0755);
    fs::create_symlink("one", source() / "a/link");
    first_ = bring();
  }

  /// The stage is put right, sending `files` files, and does not need it again. What was done to a directory may have
  /// been done to its mode, which the engine may have read: then the tree must be at another path.
  void expect_repair(std::uint64_t files, bool of_directories = false) {
    EXPECT_EQ(guard(stamp_).first, 75);
    auto repaired = bring();
    EXPECT_TRUE(repaired.repaired);
    EXPECT_EQ(repaired.uploaded_files, files);
    EXPECT_EQ(repaired.directory != first_.directory, of_directories);
    EXPECT_EQ(fs::exists(first_.directory), !of_directories);
    first_.directory = repaired.directory;
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

class StageEditedDuringAnUpload : public StageRepairTest {
 protected:
  /// Brings the source while somebody edits `path` of the tree, keeping its size.
  void expect_refused(const std::string& path) {
    auto wanted = scan(source());
    auto asked = request(wanted);
    asked.locate = [&](const std::string& sent) {
      write_file(staged(path), std::string(fs::file_size(staged(path)), '!'));
      return source() / sent;
    };
    const auto refused = bring_stage(*parent_, tools(), asked);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("is not what was sent"), std::string::npos) << refused.error().message;
    EXPECT_EQ(guard(stamp_).first, 75);
    bring();  // looks at what it holds
  }
};

TEST_F(StageEditedDuringAnUpload, AFileThatIsNotSent) {
  put("a/two", "TWO");
  expect_refused("a/one");
}

TEST_F(StageEditedDuringAnUpload, AFileThatGetsANewName) {
  put("b/long", std::string(4096, 'x'));
  first_ = bring();
  fs::rename(source() / "b/long", source() / "b/renamed");
  put("a/two", "TWO");
  expect_refused("b/long");
}

TEST_F(StageEditedDuringAnUpload, AFileThatIsCopied) {
  put("b/long", std::string(4096, 'x'));
  first_ = bring();
  put("b/copy", std::string(4096, 'x'));
  put("a/two", "TWO");
  expect_refused("b/long");
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
  expect_repair(0, true);
}

TEST_F(StageRepairTest, MissingEntriesComeBack) {
  fs::remove_all(staged("a"));
  fs::remove(staged("b/three"));
  expect_repair(4, true);
}

TEST_F(StageRepairTest, OtherTypesAreReplacedAndLinksNotFollowed) {
  write_file(home_ / "outside/one", "mine");
  write_file(home_ / "outside/two", "mine too");
  fs::remove_all(staged("a"));
  fs::create_symlink(home_ / "outside", staged("a"));
  fs::remove(staged("b/three"));
  fs::create_directories(staged("b/three/is/a/directory"));
  fs::remove_all(source() / "a/two");
  expect_repair(3, true);
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
  EXPECT_FALSE(next.repaired) << "it was otto's own upload";
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
  EXPECT_EQ(left, 6U) << "lock, who had it, stamp, tree, data and chunks";
}

TEST_F(StageRepairTest, AnUploadWithoutItsLastMemberIsNotStamped) {
  put("a/one", "ONE");  // the same size: neither counts nor sizes would tell
  auto wanted = scan(source());
  StagedEntries entries(wanted);
  auto delta = plan_delta({*believed_, {}, {}}, entries, StageKind::kContext);
  std::string input = fmt::format("put none {} {}\n", delta.manifest.hex(), delta.shape.hex());
  for (auto [name, text] : {std::pair("removed", &delta.removed_lines),
                            {"added", &delta.added_lines},
                            {"bumps", &delta.bumps},
                            {"delete", &delta.deletions}})
    input += fmt::format("section {} {}\n{}", name, text->size(), *text);
  input += "tar\n" + std::string(10'240, '\0');
  transport::Script script;
  script.text = stage_exchange_script(StageKind::kContext);
  script.args = {stage_root().string(), "ctx", "context", stamp_, "f00", "none", "normal", "ann@laptop", "c1"};
  script.input = [&](const transport::Writer& write) { return write(input); };
  auto output = parent_->run_job(script);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->status.code, kStageTruncated) << output->err;
  EXPECT_EQ(guard("f00").first, 75);
  EXPECT_FALSE(bring().repaired);
}

TEST_F(StageRepairTest, AConnectionCutAtAnyByteConverges) {
  put("big", noise(600'000, 1));
  put("b/renamed", noise(3'000, 2));
  fs::copy(source(), home_ / "old", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  auto old = scan(home_ / "old");
  put("a/one", "changed, of another size");
  put("b/new", std::string(40'000, 'n'));
  put("big", noise(600'000, 1) + "appended");
  fs::rename(source() / "b/renamed", source() / "renamed");
  put("zzz/last", "last");
  fs::remove(source() / "a/two");
  fs::remove(source() / "a/link");
  fs::create_directory(source() / "a/link");
  auto wanted = scan(source());
  remember_ = false;
  std::int64_t needed = 1'000'000;
  int lost = 0;
  for (int percent : {100, 30, 45, 55, 65, 75, 80, 85, 90, 95, 99}) {
    auto before = request(old);
    before.source = home_ / "old";
    auto held = bring_stage(*parent_, tools(), before);
    ASSERT_TRUE(held.ok()) << held.error().message;
    auto transport = std::make_unique<CuttableTransport>(connect_locally(), needed * percent / 100);
    const auto& cuttable = *transport;
    transport::Remote cut_parent(std::move(transport));
    auto state = bring_stage(cut_parent, {tools().root, false, false}, request(wanted));
    if (state) {
      if (percent == 100) needed -= cuttable.left();
      EXPECT_EQ(guard(state->stamp).first, 0);
    } else {
      ++lost;
      EXPECT_EQ(state.error().code, ErrorCode::kConnectionLost) << state.error().message;
      auto [code, tree] = guard(held->stamp);
      if (code == 0) expect_holds(held->directory, old);
    }
    bring();
    EXPECT_EQ(guard(stamp_).first, 0);
  }
  EXPECT_GE(lost, 8);
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
  asked.waiting = [&](const parent::LockHolder& holder) {
    waited = holder.who == parent::own_name() && holder.seconds.has_value();  // who wrote there last
    ::close(lock);
  };
  auto state = bring_stage(*parent_, tools(), asked);
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_TRUE(waited);
}

TEST_F(StageRepairTest, WhoHasUploadedMayBuildBeforeAnotherUploads) {
  const auto reserve = [&](std::chrono::seconds ago) {
    std::ofstream(stage_dir() / "reserved")
        << "another " << std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - ago) << "\n";
  };
  put("b/new", "new");
  const auto wanted = scan(source());
  reserve(std::chrono::seconds(0));
  auto state = std::async(std::launch::async, [&] { return bring_stage(*parent_, tools(), request(wanted)); });
  EXPECT_EQ(state.wait_for(std::chrono::milliseconds(700)), std::future_status::timeout);
  EXPECT_EQ(guard("another stamp").first, 75);
  EXPECT_EQ(state.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout) << "that was not the build";
  EXPECT_EQ(guard(first_.stamp).first, 0) << "the build has the stage as it was uploaded for it";
  EXPECT_TRUE(state.get().ok());

  put("b/new", "newer");
  const auto newer = scan(source());
  reserve(std::chrono::seconds(10));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(bring_stage(*parent_, tools(), request(newer)).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4)) << "it never built";
  put("b/new", "newest");
  EXPECT_TRUE(bring_stage(*parent_, tools(), request(scan(source()))).ok()) << "its own reservation is no obstacle";
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
}  // namespace otto::stage
