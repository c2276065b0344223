#include "engine/hosts/local_target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/support/temp_tree.h"

namespace otto::hosts {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Collects a file called `name` with `text`, and installs it.
Result<void> put_there(const std::string& dest, const std::string& name, const std::string& text) {
  OTTO_TRY(LocalTarget target, LocalTarget::resolve(dest, false));
  OTTO_RETURN_IF_ERROR(target.prepare());
  std::ofstream(target.root() + "/" + name) << text;
  return target.install(name);
}

class LocalTargetTest : public ::testing::Test {
 protected:
  testing::TempTree tree_;
  [[nodiscard]] std::string path(std::string_view name) const { return tree_.path(name).string(); }
};

TEST_F(LocalTargetTest, AFileIsReplacedWithItsModeAndALinkBecomesAFile) {
  tree_.write("old", "old");
  tree_.symlink("link", "old");
  ASSERT_TRUE(put_there(path("link"), "new", "new").ok());
  EXPECT_FALSE(fs::is_symlink(path("link")));
  EXPECT_EQ(content_of(path("link")), "new");
  EXPECT_EQ(content_of(path("old")), "old");
}

TEST_F(LocalTargetTest, AFifoAndADeviceAreStreams) {
  tree_.fifo("fifo");
  tree_.symlink("null", "/dev/null");
  for (const std::string name : {"fifo", "null"}) {
    const auto target = LocalTarget::resolve(path(name), false);
    ASSERT_TRUE(target.ok()) << target.error().message;
    EXPECT_TRUE(target->streams()) << name;
    EXPECT_FALSE(LocalTarget::resolve(path(name) + "/", false).ok()) << "a directory is wanted";
  }
  EXPECT_TRUE(fs::is_symlink(path("null")));
}

TEST_F(LocalTargetTest, AFifoIsWaitedForUntilItIsReadOrTheWaitIsStopped) {
  tree_.fifo("fifo");
  const auto target = LocalTarget::resolve(path("fifo"), false);
  ASSERT_TRUE(target.ok());
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = target->open_stream(stop.get_token());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  std::jthread reader([&] { EXPECT_EQ(content_of(path("fifo")), "read"); });
  const auto stream = target->open_stream({});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(::write(stream->get(), "read", 4), 4);
}

TEST_F(LocalTargetTest, ADescriptorIsWrittenToAsItWasOpened) {
  tree_.write("log", "first\n");
  const Fd log(::open(path("log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  tree_.symlink("there", "/proc/self/fd/" + std::to_string(log.get()));
  const auto target = LocalTarget::resolve(path("there"), false);
  ASSERT_TRUE(target.ok());
  ASSERT_TRUE(target->streams());
  const auto stream = target->open_stream({});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(::write(stream->get(), "second\n", 7), 7);
  EXPECT_EQ(content_of(path("log")), "first\nsecond\n");
}

TEST_F(LocalTargetTest, InADirectoryADeviceIsNotReplaced) {
  tree_.make_directory("into");
  tree_.fifo("into/name");
  const auto put = put_there(path("into"), "name", "new");
  ASSERT_FALSE(put.ok());
  EXPECT_NE(put.error().message.find("is not replaced"), std::string::npos) << put.error().message;
  EXPECT_TRUE(fs::is_fifo(path("into/name")));
  EXPECT_EQ(std::distance(fs::directory_iterator(path("into")), {}), 1) << "nothing else is left there";
}

TEST_F(LocalTargetTest, AFileInAClosedDirectoryIsWrittenTo) {
  tree_.write("closed/file", "old, and longer", 0666);
  for (fs::path above = tree_.root(); above != "/tmp" && above.has_relative_path(); above = above.parent_path()) {
    fs::permissions(above, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  }
  tree_.chmod("closed", 0555);
  const int done = testing::run_unprivileged([this] {
    const auto put = put_there(path("closed/file"), "new", "new"),
               other = put_there(path("closed/other"), "new", "new");
    return put.ok() && !other.ok() ? 0 : 1;
  });
  EXPECT_EQ(done, 0);
  EXPECT_EQ(content_of(path("closed/file")), "new");
  EXPECT_FALSE(fs::exists(path("closed/other")));
}

}  // namespace
}  // namespace otto::hosts
