#include "engine/inputs/context_scan.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp_tree.h"

namespace otto::inputs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempTree;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kFarFuture = std::int64_t{1} << 62;  // a clock by which every stamp is old

class ContextScan : public ::testing::Test {
 protected:
  ScanRequest request() {
    ScanRequest request;
    request.root = tree_.root();
    request.rules = &rules_;
    request.known = known_ ? &*known_ : nullptr;
    request.key = &key_;
    request.threads = 2;
    return request;
  }
  ScanResult scan(std::int64_t clock_ns = 0) {
    ScanRequest asked = request();
    asked.clock_ns = clock_ns;
    auto result = scan_context(asked);
    if (!result) ADD_FAILURE() << result.error().message;
    return result ? std::move(*result) : ScanResult();
  }
  /// Scans and remembers, as a later command would find it.
  ScanResult scan_and_remember(std::int64_t clock_ns = 0) {
    ScanResult result = scan(clock_ns);
    if (result.stats_changed) known_ = stats(result);
    return result;
  }
  /// What the scan gave to remember.
  static cache::StatManifest stats(const ScanResult& result) {
    auto stats = cache::parse_stat_manifest(result.stats);
    if (!stats) ADD_FAILURE() << "stats that nobody can read";
    return stats ? std::move(*stats) : cache::StatManifest();
  }
  void use_rules(std::string_view text) {
    auto rules = IgnoreRules::parse(text, ".dockerignore");
    ASSERT_TRUE(rules.ok());
    rules_ = std::move(*rules);
  }
  static std::vector<std::string> paths(const ScanResult& result) {
    std::vector<std::string> all;
    for (const auto& entry : result.manifest.entries) all.push_back(entry.path);
    return all;
  }

  TempTree tree_;
  IgnoreRules rules_;
  graph::ChangeKey key_ = graph::ChangeKey::random();
  std::optional<cache::StatManifest> known_;
};

TEST_F(ContextScan, SeesEveryKindOfEntry) {
  tree_.write("file", "hello\n", 0640);
  tree_.write("dir/script", "#!", 0755);
  tree_.make_directory("empty", 0700);
  tree_.symlink("dir/link", "../nowhere");
  tree_.set_mtime("file", 5 * kSecond + 7);
  const ScanResult result = scan();
  EXPECT_THAT(paths(result), ElementsAre("dir", "dir/link", "dir/script", "empty", "file"));
  const auto* file = result.manifest.find("file");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->type, graph::EntryType::kFile);
  EXPECT_EQ(file->mode, 0640);
  EXPECT_EQ(file->size, 6U);
  EXPECT_EQ(file->mtime_s, 5);
  EXPECT_EQ(file->digest, graph::sha256("hello\n"));
  EXPECT_EQ(result.manifest.find("dir/link")->type, graph::EntryType::kSymlink);
  EXPECT_EQ(result.manifest.find("dir/link")->target, "../nowhere");
  EXPECT_EQ(result.manifest.find("empty")->type, graph::EntryType::kDirectory);
  EXPECT_EQ(result.manifest.find("empty")->mode, 0700);
  EXPECT_EQ(result.manifest.find("empty")->size, 0U);
  EXPECT_EQ(result.files_read, 2U);
  EXPECT_EQ(result.bytes_read, 8U);
}

TEST_F(ContextScan, FloorsSecondsBefore1970) {
  tree_.write("old", "x");
  tree_.set_mtime("old", -1);
  EXPECT_EQ(scan().manifest.find("old")->mtime_s, -1);
}

TEST_F(ContextScan, OrdersByTheBytesOfWholePaths) {
  for (const char* path :
       {"a/x", "a-b", "a.b/y", "a0", "a/x-/1", "a/x.y", "abcdefgh/1", "abcdefgh-", "abcdefghi", "b\xff", "b"}) {
    tree_.write(path, "");
  }
  const ScanResult result = scan();
  const auto seen = paths(result);
  EXPECT_EQ(seen.size(), 15U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(stats(result).entries.size(), 11U);  // which are refused unless they are sorted
}

TEST_F(ContextScan, AnEmptyRootIsAnEmptyContext) {
  const ScanResult result = scan();
  EXPECT_THAT(result.manifest.entries, IsEmpty());
  EXPECT_EQ(result.manifest.hash(), graph::ContextManifest{}.hash());
}

TEST_F(ContextScan, IsTheSameWithAnyNumberOfThreads) {
  for (int d = 0; d < 40; ++d) {
    for (int f = 0; f < 30; ++f)
      tree_.write(std::to_string(d % 7) + "/" + std::to_string(d) + "/f" + std::to_string(f), std::to_string(d * f));
  }
  for (int f = 0; f < 2000; ++f) tree_.write("flat/" + std::to_string(f), std::to_string(f));
  std::vector<graph::Digest> hashes;
  for (unsigned threads : {1U, 2U, 8U, 0U}) {
    ScanRequest asked = request();
    asked.threads = threads;
    auto result = scan_context(asked);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->manifest.entries.size(), 7U + 40 + 1200 + 1 + 2000);
    hashes.push_back(result->manifest.hash());
  }
  EXPECT_EQ(std::count(hashes.begin(), hashes.end(), hashes[0]), 4);
}

// --- What is known is used -------------------------------------------------------------------------------------------

TEST_F(ContextScan, NothingChangedNothingRead) {
  tree_.write("a/b", "1");
  tree_.write("c", "2");
  tree_.symlink("d", "c");
  const auto first = scan_and_remember(kFarFuture);
  EXPECT_TRUE(first.stats_changed);
  const ScanResult second = scan(kFarFuture);
  EXPECT_EQ(second.files_read, 0U);
  EXPECT_EQ(second.bytes_read, 0U);
  EXPECT_FALSE(second.stats_changed);
  EXPECT_EQ(second.manifest.hash(), first.manifest.hash());
  EXPECT_EQ(second.manifest.find("d")->target, "c");
}

TEST_F(ContextScan, TouchIsReadAndIsTheSame) {
  tree_.write("a", "1");
  tree_.write("b", "2");
  const auto first = scan_and_remember(kFarFuture);
  tree_.set_mtime("a", 1'000 * kSecond);
  const ScanResult second = scan_and_remember(kFarFuture);
  EXPECT_EQ(second.files_read, 1U);
  EXPECT_TRUE(second.stats_changed);
  EXPECT_EQ(second.manifest.hash(), first.manifest.hash());
  EXPECT_FALSE(scan(kFarFuture).stats_changed);
}

TEST_F(ContextScan, AnEditThatKeepsSizeAndMtimeIsSeen) {
  tree_.write("a", "before");
  const auto first = scan_and_remember();
  const auto mtime = tree_.mtime("a");
  tree_.write("a", "after!");
  tree_.set_mtime("a", mtime);
  const ScanResult second = scan();
  EXPECT_EQ(second.manifest.find("a")->digest, graph::sha256("after!"));
  EXPECT_NE(second.manifest.hash(), first.manifest.hash());
}

TEST_F(ContextScan, EachKindOfEditIsSeen) {
  tree_.write("file", "1", 0644);
  tree_.write("dir/inner", "2");
  tree_.symlink("link", "file");
  auto before = scan_and_remember().manifest.hash();
  const auto differs = [&](const char* what) {
    const auto now = scan_and_remember().manifest.hash();
    EXPECT_NE(now, before) << what;
    before = now;
  };
  tree_.chmod("file", 0755);
  differs("chmod");
  tree_.make_directory("new-empty");
  differs("a new empty directory");
  tree_.remove("link");
  tree_.symlink("link", "elsewhere");
  differs("a retargeted symlink");
  tree_.rename("dir", "dir2");
  differs("a renamed directory");
  tree_.remove("dir2/inner");
  differs("a removed file");
  tree_.remove("file");
  tree_.make_directory("file");
  differs("a file become a directory");
  tree_.remove("file");
  tree_.write("file/below", "x");
  differs("a file below it");
  tree_.remove("file");
  tree_.symlink("file", "1");
  differs("a directory become a symlink");
}

TEST_F(ContextScan, ADirectorysModeIsNoInput) {
  tree_.make_directory("d", 0755);
  const auto before = scan().manifest.hash();
  tree_.chmod("d", 0700);
  EXPECT_EQ(scan().manifest.hash(), before);
}

TEST_F(ContextScan, ReusesSha256WhereTheKeyedDigestIsKnown) {
  tree_.write("a", "content");
  scan_and_remember(kFarFuture);
  ASSERT_EQ(known_->entries.size(), 1U);
  const graph::Digest planted = graph::sha256("planted");
  known_->entries[0].digest = planted;
  tree_.set_mtime("a", 77 * kSecond);
  EXPECT_EQ(scan(kFarFuture).manifest.find("a")->digest, planted) << "same size, same keyed digest";
  tree_.write("a", "c0ntent");
  EXPECT_EQ(scan(kFarFuture).manifest.find("a")->digest, graph::sha256("c0ntent"));
}

TEST_F(ContextScan, LargeFilesAreHashedInBlocks) {
  std::string large(3'500'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 2654435761U >> 13);
  tree_.write("large", large);
  ScanResult result = scan_and_remember(kFarFuture);
  EXPECT_EQ(result.manifest.find("large")->digest, graph::sha256(large));
  EXPECT_EQ(known_->entries[0].change, graph::change_digest(large, key_));
  EXPECT_EQ(result.bytes_read, large.size());

  tree_.set_mtime("large", 3 * kSecond);
  result = scan_and_remember(kFarFuture);
  EXPECT_EQ(result.manifest.find("large")->digest, graph::sha256(large));
  EXPECT_EQ(result.bytes_read, large.size()) << "the keyed digest alone tells that it is the same";

  large[2'000'000] ^= 1;
  tree_.write("large", large);
  result = scan_and_remember(kFarFuture);
  EXPECT_EQ(result.manifest.find("large")->digest, graph::sha256(large));
  EXPECT_EQ(result.bytes_read, 2 * large.size());
}

// --- Racy timestamps -------------------------------------------------------------------------------------------------

TEST_F(ContextScan, AStampTooNearToTheScanIsRacy) {
  tree_.write("a", "1");
  const std::int64_t stamp = tree_.ctime("a");
  ASSERT_NE(stamp % kSecond, 0) << "an unlucky nanosecond; run again";
  for (const auto& [clock, racy] : std::vector<std::pair<std::int64_t, bool>>{
           {stamp - kSecond, true}, {stamp, true}, {stamp + kSecond / 100, true}, {stamp + kSecond, false}}) {
    EXPECT_EQ(stats(scan(clock)).entries.at(0).racy, racy) << clock - stamp;
  }
}

/// The four steps told in racy_clock.cc: the second write left the stat of the first. A tick cannot be hit at will,
/// so what is remembered is given the stamps that the file has now.
TEST_F(ContextScan, ARacyEntryIsReadAgainAndACleanOneIsTrusted) {
  tree_.write("a", "before");
  scan_and_remember(tree_.ctime("a"));
  tree_.write("a", "after!");
  cache::StatEntry& entry = known_->entries.at(0);
  entry.mtime_ns = tree_.mtime("a");
  entry.ctime_ns = tree_.ctime("a");
  ASSERT_TRUE(entry.racy);
  EXPECT_EQ(scan().manifest.find("a")->digest, graph::sha256("after!"));
  entry.racy = false;
  EXPECT_EQ(scan(kFarFuture).manifest.find("a")->digest, graph::sha256("before"))
      << "this is what the guard guards against";
}

TEST_F(ContextScan, ARacyEntryThatWasRightBecomesClean) {
  tree_.write("a", "1");
  scan_and_remember(tree_.ctime("a"));
  ASSERT_TRUE(known_->entries.at(0).racy);
  const ScanResult second = scan_and_remember(kFarFuture);
  EXPECT_EQ(second.files_read, 1U);
  EXPECT_TRUE(second.stats_changed);
  EXPECT_FALSE(known_->entries.at(0).racy);
  const ScanResult third = scan(kFarFuture);
  EXPECT_EQ(third.files_read, 0U);
  EXPECT_FALSE(third.stats_changed);
}

TEST_F(ContextScan, AnEntryThatStaysRacyIsNothingNewToRemember) {
  tree_.write("a", "1");
  const auto clock = tree_.ctime("a");
  scan_and_remember(clock);
  const ScanResult second = scan(clock);
  EXPECT_EQ(second.files_read, 1U);
  EXPECT_FALSE(second.stats_changed);
}

/// The clock is set back after a scan and comes to the same tick again; a second write in it has the stat of the first.
TEST_F(ContextScan, AClockThatWentBackwardsMakesStampsRacyAgain) {
  tree_.write("a", "before");
  scan_and_remember(kFarFuture);
  tree_.write("a", "after!");
  cache::StatEntry& entry = known_->entries.at(0);
  entry.mtime_ns = tree_.mtime("a");
  entry.ctime_ns = tree_.ctime("a");
  ASSERT_FALSE(entry.racy);
  const ScanResult set_back = scan(entry.ctime_ns - kSecond);
  EXPECT_EQ(set_back.manifest.find("a")->digest, graph::sha256("after!"));
  EXPECT_TRUE(stats(set_back).entries.at(0).racy);
  EXPECT_EQ(scan(entry.ctime_ns).manifest.find("a")->digest, graph::sha256("after!"));
}

// --- Ignore rules ----------------------------------------------------------------------------------------------------

TEST_F(ContextScan, LeavesOutWhatTheRulesSay) {
  for (const char* path : {"src/a.c", "src/a.o", "out/x", "out/deep/y", "keep.o"}) tree_.write(path, "");
  use_rules("**/*.o\nout\n!keep.o");
  EXPECT_THAT(paths(scan()), ElementsAre("keep.o", "src", "src/a.c"));
}

TEST_F(ContextScan, AnIgnoredDirectoryIsSentWithWhatComesBackInIt) {
  for (const char* path : {"a/b/c/keep", "a/b/drop", "a/other/x", "z/drop"}) tree_.write(path, "");
  use_rules("*\n!a/b/c/keep");
  EXPECT_THAT(paths(scan()), ElementsAre("a", "a/b", "a/b/c", "a/b/c/keep"));
  use_rules("**\n!**/keep");
  EXPECT_THAT(paths(scan()), ElementsAre("a", "a/b", "a/b/c", "a/b/c/keep"));
  use_rules("**\n!**/nothing");
  EXPECT_THAT(paths(scan()), IsEmpty());
}

TEST_F(ContextScan, NewRulesNeedNoReading) {
  for (const char* path : {"a/1", "a/2", "b/1", "c"}) tree_.write(path, "");
  scan_and_remember(kFarFuture);
  use_rules("a/2\nc");
  const ScanResult result = scan(kFarFuture);
  EXPECT_THAT(paths(result), ElementsAre("a", "a/1", "b", "b/1"));
  EXPECT_EQ(result.files_read, 0U);
  EXPECT_TRUE(result.stats_changed);
  EXPECT_EQ(stats(result).entries.size(), 2U);
}

// --- Odd trees -------------------------------------------------------------------------------------------------------

TEST_F(ContextScan, AFifoIsAnEntryAndASocketAnEmptyFile) {
  tree_.write("a/file", "1");
  tree_.fifo("a/pipe");
  tree_.socket("sock");
  tree_.chmod("sock", 0640);
  const ScanResult result = scan_and_remember(kFarFuture);
  EXPECT_THAT(paths(result), ElementsAre("a", "a/file", "a/pipe", "sock"));
  EXPECT_EQ(result.manifest.find("a/pipe")->type, graph::EntryType::kFifo);
  EXPECT_EQ(result.manifest.find("a/pipe")->mode, 0644);
  EXPECT_EQ(result.manifest.find("sock")->type, graph::EntryType::kFile);
  EXPECT_EQ(result.manifest.find("sock")->mode, 0640);
  EXPECT_EQ(result.manifest.find("sock")->size, 0U);
  EXPECT_EQ(result.manifest.find("sock")->digest, graph::sha256(""));
  const ScanResult again = scan(kFarFuture);
  EXPECT_FALSE(again.stats_changed);
  EXPECT_EQ(again.manifest.hash(), result.manifest.hash());
  tree_.chmod("a/pipe", 0600);
  EXPECT_NE(scan(kFarFuture).manifest.hash(), result.manifest.hash());
  use_rules("**/pipe\nsock");
  EXPECT_THAT(paths(scan()), ElementsAre("a", "a/file"));
}

TEST_F(ContextScan, SpecialFilesAreLeftOutWhereTheyMeanNothing) {
  tree_.fifo("pipe");
  tree_.socket("sock");
  tree_.write("file", "1");
  ScanRequest asked = request();
  asked.special_files = false;
  asked.root = tree_.root();
  const auto result = scan_context(asked);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(paths(*result), ElementsAre("file"));
}

TEST_F(ContextScan, ADeviceIsAnErrorWithItsMend) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes devices";
  tree_.write("a/file", "1");
  ASSERT_EQ(::mknod(tree_.path("a/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  const auto result = scan_context(request());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kConfig);
  EXPECT_THAT(result.error().message, HasSubstr("'a/null' of the context is a device"));
  EXPECT_THAT(result.error().hint, HasSubstr("ignore file"));
  use_rules("a/null");
  EXPECT_THAT(paths(scan()), ElementsAre("a", "a/file"));
}

TEST_F(ContextScan, NamesAreBytes) {
  tree_.write("\xff\xfe", "1");
  tree_.write("new\nline/\x01", "2");
  tree_.write(std::string(255, 'n'), "3");
  EXPECT_THAT(paths(scan_and_remember(kFarFuture)),
              ElementsAre("new\nline", "new\nline/\x01", std::string(255, 'n'), "\xff\xfe"));
  EXPECT_FALSE(scan(kFarFuture).stats_changed);
}

TEST_F(ContextScan, HardLinksAreFilesOfTheirOwn) {
  tree_.write("a", "same");
  std::filesystem::create_hard_link(tree_.path("a"), tree_.path("b"));
  const ScanResult result = scan();
  EXPECT_EQ(result.manifest.find("a")->digest, result.manifest.find("b")->digest);
}

TEST_F(ContextScan, ARootBehindASymlinkIsFollowed) {
  tree_.write("real/file", "1");
  tree_.symlink("alias", "real");
  ScanRequest asked = request();
  asked.root = tree_.path("alias");
  const auto result = scan_context(asked);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(paths(*result), ElementsAre("file"));
}

TEST_F(ContextScan, TreesDeeperThanTheLongestPathAreWalked) {
  constexpr int kDepth = 3000;
  int at = ::open(tree_.root().c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < kDepth; ++level) {
    ASSERT_EQ(::mkdirat(at, "dd", 0755), 0);
    const int next = ::openat(at, "dd", O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  const int file = ::openat(at, "leaf", O_CREAT | O_WRONLY, 0644);
  ASSERT_EQ(::write(file, "x", 1), 1);
  ::close(file);
  ::close(at);
  const ScanResult result = scan_and_remember(kFarFuture);
  ASSERT_EQ(result.manifest.entries.size(), kDepth + 1U);
  EXPECT_EQ(result.manifest.entries.back().digest, graph::sha256("x"));
  EXPECT_FALSE(scan(kFarFuture).stats_changed);
}

// --- What goes wrong -------------------------------------------------------------------------------------------------

TEST_F(ContextScan, ARootThatIsNoDirectoryIsAConfigurationError) {
  tree_.write("file", "");
  for (const char* name : {"file", "missing"}) {
    ScanRequest asked = request();
    asked.root = tree_.path(name);
    const auto result = scan_context(asked);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kConfig);
    EXPECT_THAT(result.error().message, HasSubstr(name));
  }
}

/// 0: scanned; else 1 + the error's code, 50 more where path or remedy are not named.
int scan_as_nobody(const ScanRequest& request, std::string_view path) {
  const auto result = scan_context(request);
  if (result.ok()) return 0;
  const Error& error = result.error();
  const bool named = error.message.find(path) != std::string::npos && error.hint.find("chmod") != std::string::npos;
  return 1 + static_cast<int>(error.code) + (named ? 0 : 50);
}

TEST_F(ContextScan, WhatCannotBeReadIsAnErrorUnlessItIsIgnored) {
  constexpr int kRefused = 1 + static_cast<int>(ErrorCode::kIo);
  tree_.chmod("", 0755);
  tree_.write("a/secret", "1", 0000);
  tree_.make_directory("a/closed", 0000);
  const auto scanned = [&](std::string_view named) {
    const ScanRequest asked = request();
    return testing::run_unprivileged([&] { return scan_as_nobody(asked, named); });
  };
  use_rules("a/closed");
  EXPECT_EQ(scanned("a/secret"), kRefused);
  use_rules("a/secret");
  EXPECT_EQ(scanned("a/closed"), kRefused);
  use_rules("a/closed\na/secret");
  EXPECT_EQ(scanned(""), 0);
  use_rules("a/closed\na/secret\n!**/elsewhere");
  EXPECT_EQ(scanned(""), 0) << "an ignored directory that is walked for what may come back in it";
  tree_.chmod("a/closed", 0755);
}

TEST_F(ContextScan, AStopIsAnInterruption) {
  tree_.write("a", "1");
  std::stop_source stop;
  stop.request_stop();
  ScanRequest asked = request();
  asked.stop = stop.get_token();
  const auto result = scan_context(asked);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST_F(ContextScan, ReportsProgressFromTheCallersThread) {
  tree_.write("a/b", "123");
  std::uint64_t files = 0, bytes = 0;
  std::vector<std::thread::id> threads;
  ScanRequest asked = request();
  asked.progress = [&](std::uint64_t f, std::uint64_t b) {
    files = f, bytes = b;
    threads.push_back(std::this_thread::get_id());
  };
  ASSERT_TRUE(scan_context(asked).ok());
  EXPECT_EQ(files, 2U);
  EXPECT_EQ(bytes, 3U);
  EXPECT_EQ(static_cast<std::size_t>(std::count(threads.begin(), threads.end(), std::this_thread::get_id())),
            threads.size());
}

// --- The ignore file in force ----------------------------------------------------------------------------------------

TEST_F(ContextScan, TheIgnoreFileBesideTheDockerfileComesFirst) {
  const auto dockerfile = tree_.path("docker/api.Dockerfile");
  auto found = find_ignore_file(dockerfile, tree_.root());
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->path.empty());
  tree_.write(".dockerignore", "general");
  EXPECT_EQ(find_ignore_file(dockerfile, tree_.root())->text, "general");
  tree_.write("docker/api.Dockerfile.dockerignore", "special");
  found = find_ignore_file(dockerfile, tree_.root());
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->text, "special");
  EXPECT_EQ(found->path, tree_.path("docker/api.Dockerfile.dockerignore"));
}

TEST_F(ContextScan, AnIgnoreFileThatCannotBeReadIsAnError) {
  tree_.make_directory(".dockerignore");
  const auto found = find_ignore_file(tree_.path("Dockerfile"), tree_.root());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace otto::inputs
