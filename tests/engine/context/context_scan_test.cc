#include "engine/context/context_scan.h"

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

#include "tests/engine/context/scan_fixture.h"

namespace otto::context {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempTree;

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

TEST_F(ContextScan, AFreshCheckoutIsReadWhereNearlyAllHasChanged) {
  constexpr int kDirectories = 40, kFiles = 20;
  const auto name = [](int directory, int file) {
    return "d" + std::to_string(directory) + "/f" + std::to_string(file);
  };
  for (int d = 0; d < kDirectories; ++d) {
    for (int f = 0; f < kFiles; ++f) tree_.write(name(d, f), name(d, f));
  }
  const auto first = scan_and_remember(kFarFuture);
  for (int d = 0; d < kDirectories; ++d) {
    for (int f = 1; f < kFiles; ++f) tree_.set_mtime(name(d, f), 1'600'000'000'000'000'000);
  }
  tree_.write(name(39, 1), "edited");
  tree_.remove(name(39, 2));
  const ScanResult second = scan_and_remember(kFarFuture);
  EXPECT_GE(second.files_read, static_cast<std::uint64_t>(kDirectories * (kFiles - 1) - 1));
  EXPECT_EQ(second.manifest.find(name(39, 1))->digest, graph::sha256("edited"));
  EXPECT_EQ(second.manifest.find(name(39, 2)), nullptr);
  for (int d = 0; d < kDirectories; ++d) {
    EXPECT_EQ(second.manifest.find(name(d, 0))->digest, graph::sha256(name(d, 0)));
    EXPECT_EQ(second.manifest.find(name(d, 3))->digest, graph::sha256(name(d, 3)));
  }
  const ScanResult third = scan(kFarFuture);
  EXPECT_EQ(third.files_read, 0U);
  EXPECT_FALSE(third.stats_changed);
  EXPECT_EQ(third.manifest.hash(), second.manifest.hash());
  EXPECT_NE(third.manifest.hash(), first.manifest.hash());
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

TEST_F(ContextScan, ADirectorysModeCountsAlsoWhereAllElseIsKnown) {
  tree_.make_directory("d", 0755);
  tree_.write("d/file", "content");
  scan_and_remember(kFarFuture);
  const auto before = scan().manifest.hash();
  for (const unsigned mode : {0700U, 01777U, 02755U}) {
    tree_.chmod("d", mode);
    const auto again = scan(kFarFuture);
    EXPECT_NE(again.manifest.hash(), before);
    EXPECT_EQ(again.manifest.find("d")->mode, mode);
    EXPECT_EQ(again.files_read, 0U);
  }
  tree_.chmod("d", 0755);
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

}  // namespace
}  // namespace otto::context
