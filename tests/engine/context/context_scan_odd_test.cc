// Odd trees, what goes wrong in a scan, and which ignore file is in force.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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
  ScanRequest devices = request();
  devices.root = "/dev";
  use_rules("*\n!null");
  const auto result = scan_context(devices);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kConfig);
  EXPECT_THAT(result.error().message, HasSubstr("'null' of the context is a device"));
  EXPECT_THAT(result.error().hint, HasSubstr("ignore file"));
  use_rules("*");
  const auto ignored = scan_context(devices);
  ASSERT_TRUE(ignored.ok()) << ignored.error().message;
  EXPECT_THAT(paths(*ignored), IsEmpty());
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
  use_rules("a/closed\na/secret\n!a/closed/named");
  EXPECT_EQ(scanned("a/closed"), kRefused) << "something in there is asked for";
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
}  // namespace otto::context
