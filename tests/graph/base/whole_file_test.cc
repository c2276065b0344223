#include "graph/base/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "tests/support/temp_tree.h"

namespace otto {
namespace {

TEST(WholeFile, BringsEveryByte) {
  testing::TempTree tree;
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 100'000}) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 7);
    tree.write("file", bytes);
    EXPECT_EQ(read_whole_file(tree.path("file")), bytes) << size;
  }
}

TEST(WholeFile, AlsoWhereStatTellsNoSize) {
  const auto status = read_whole_file("/proc/self/status");
  ASSERT_TRUE(status.has_value());
  EXPECT_NE(status->find("Threads:"), std::string::npos);
}

TEST(WholeFile, SaysWhyNot) {
  testing::TempTree tree;
  EXPECT_FALSE(read_whole_file(tree.path("absent")).has_value());
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(read_whole_file(tree.root()).has_value());
  EXPECT_EQ(errno, EINVAL);
  ASSERT_EQ(::mkfifo(tree.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_whole_file("/dev/null"), "");
  EXPECT_FALSE(read_whole_file("/dev/zero").has_value());
  EXPECT_FALSE(read_whole_file(tree.path("fifo")).has_value());  // and does not wait for a writer
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace otto
