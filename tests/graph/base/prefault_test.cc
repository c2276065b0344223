#include "graph/base/prefault.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>

namespace otto {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 8;

TEST(Prefault, TouchesTheWholePagesAndNoOthers) {
  void* const room = ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(room, MAP_FAILED);
  if (::madvise(room, kPage, MADV_POPULATE_WRITE) != 0) GTEST_SKIP() << "a kernel before 5.14";
  prefault(static_cast<char*>(room) + kPage + 1, 4 * kPage);  // ends within the sixth page
  std::array<unsigned char, kPages> resident{};
  ASSERT_EQ(::mincore(room, kPages * kPage, resident.data()), 0);
  std::string touched;
  for (const unsigned char page : resident) touched += (page & 1) != 0 ? 'x' : '.';
  EXPECT_EQ(touched, "x.xxx...");
  ::munmap(room, kPages * kPage);
}

TEST(Prefault, LessThanAPageIsNothing) {
  char bytes[16] = "untouched";
  prefault(bytes, sizeof bytes);
  prefault(bytes, 0);
  EXPECT_STREQ(bytes, "untouched");
}

TEST(Prefault, AHeapIsUsableAfterwards) {
  prefault_thread_heap(std::size_t{256} << 10);
  EXPECT_EQ(std::string(1000, 'x').size(), 1000U);
}

}  // namespace
}  // namespace otto
