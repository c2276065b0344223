#include "engine/context/file_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "engine/context/racy_clock.h"
#include "tests/support/temp_tree.h"

namespace otto::context {
namespace {

using ::testing::HasSubstr;
using testing::TempTree;

class FileReaderTest : public ::testing::Test {
 protected:
  Result<std::optional<FileContent>> read(const std::filesystem::path& directory, const char* name,
                                          std::optional<FileStat> seen = {}) {
    FileStat stat;
    struct stat status {};
    if (::lstat((directory / name).c_str(), &status) == 0) stat = file_stat(status);
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    auto result =
        FileReader(key_, file_clock_ns(), stop_.get_token()).read(fd, name, name, seen.value_or(stat), nullptr);
    ::close(fd);
    return result;
  }
  /// By a scan that began when the clock said `clock_ns`.
  Result<std::optional<FileContent>> read_unseen(const std::filesystem::path& directory, const char* name,
                                                 std::int64_t clock_ns) {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    auto result = FileReader(key_, clock_ns, stop_.get_token()).read_unseen(fd, name, name, false, nullptr);
    ::close(fd);
    return result;
  }
  TempTree tree_;
  graph::ChangeKey key_ = graph::ChangeKey::random();
  std::stop_source stop_;
};

TEST_F(FileReaderTest, TakesBothDigests) {
  tree_.write("a", "content");
  const auto content = read(tree_.root(), "a");
  ASSERT_TRUE(content.ok() && content->has_value());
  EXPECT_EQ((*content)->digest, graph::sha256("content"));
  EXPECT_EQ((*content)->change, graph::change_digest("content", key_));
  EXPECT_EQ((*content)->bytes_read, 7U);
}

TEST_F(FileReaderTest, UnseenFilesOfAnySizeAndAge) {
  constexpr std::size_t kAtOnce = 64 << 10;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, kAtOnce - 1, kAtOnce, kAtOnce + 1, std::size_t{3} << 20}) {
    const std::string bytes(size, 'x');
    tree_.write("a", bytes);
    for (const bool lately : {true, false}) {
      const std::int64_t clock_ns = lately ? tree_.ctime("a") : tree_.ctime("a") + 10'000'000'000;
      const auto content = read_unseen(tree_.root(), "a", clock_ns);
      ASSERT_TRUE(content.ok() && content->has_value());
      EXPECT_EQ((*content)->digest, graph::sha256(bytes)) << size;
      EXPECT_EQ((*content)->change, graph::change_digest(bytes, key_)) << size;
      EXPECT_EQ((*content)->stat.size, size);
      EXPECT_EQ((*content)->stat.ctime_ns, tree_.ctime("a"));
    }
  }
}

TEST_F(FileReaderTest, UnseenFilesThatAreNone) {
  tree_.fifo("pipe");
  tree_.make_directory("directory");
  tree_.symlink("link", "/etc/passwd");
  constexpr std::int64_t kLater = std::int64_t{1} << 62;
  for (const char* name : {"pipe", "directory", "link"}) {
    const auto content = read_unseen(tree_.root(), name, kLater);
    ASSERT_FALSE(content.ok()) << name;
    EXPECT_EQ(content.error().code, ErrorCode::kInputsChanged) << name;
  }
  EXPECT_FALSE(read_unseen(tree_.root(), "never", kLater)->has_value());
  const auto changing = read_unseen("/sys/kernel", "uevent_seqnum", kLater);
  ASSERT_FALSE(changing.ok());
  EXPECT_EQ(changing.error().code, ErrorCode::kInputsChanged);
}

TEST_F(FileReaderTest, AFileThatChangedSinceItsStatIsReadAsItIsNow) {
  for (const std::size_t size : {std::size_t{5}, std::size_t{3} << 20}) {
    tree_.write("a", std::string(size, 'x'));
    for (const std::uint64_t stale :
         {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{2} << 20, std::uint64_t{9} << 20}) {
      FileStat seen;
      seen.size = stale;
      const auto content = read(tree_.root(), "a", seen);
      ASSERT_TRUE(content.ok() && content->has_value());
      EXPECT_EQ((*content)->stat.size, size);
      EXPECT_EQ((*content)->digest, graph::sha256(std::string(size, 'x'))) << size << " " << stale;
    }
  }
}

// A sysfs file says 4,096 bytes and holds fewer: to a reader it is a file that never is as long as its stat.
TEST_F(FileReaderTest, AFileThatKeepsChangingIsRefused) {
  const auto content = read("/sys/kernel", "uevent_seqnum");
  ASSERT_FALSE(content.ok());
  EXPECT_EQ(content.error().code, ErrorCode::kInputsChanged);
  EXPECT_THAT(content.error().message, HasSubstr("uevent_seqnum"));
  EXPECT_FALSE(content.error().hint.empty());
}

TEST_F(FileReaderTest, WhatVanishedIsNotThere) {
  const auto content = read(tree_.root(), "never");
  ASSERT_TRUE(content.ok());
  EXPECT_FALSE(content->has_value());
}

TEST_F(FileReaderTest, WhatBecameSomethingElseIsNoFile) {
  FileStat seen;
  seen.size = 4;
  tree_.fifo("pipe");
  tree_.make_directory("directory");
  tree_.symlink("link", "/etc/passwd");
  for (const char* name : {"pipe", "directory", "link"}) {
    const auto content = read(tree_.root(), name, seen);
    ASSERT_FALSE(content.ok()) << name;
    EXPECT_EQ(content.error().code, ErrorCode::kInputsChanged) << name;
  }
}

TEST_F(FileReaderTest, AStopIsAnInterruption) {
  tree_.write("a", "1");
  stop_.request_stop();
  const auto content = read(tree_.root(), "a");
  ASSERT_FALSE(content.ok());
  EXPECT_EQ(content.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace otto::context
