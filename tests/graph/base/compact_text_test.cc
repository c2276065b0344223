#include "graph/base/compact_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace otto {
namespace {

static_assert(sizeof(CompactText) == sizeof(void*));

TEST(CompactText, HoldsAnyBytes) {
  const std::string odd("a\0\xff b", 5);
  EXPECT_EQ(CompactText(odd), odd);
  EXPECT_EQ(CompactText(odd).size(), 5U);
  EXPECT_EQ(CompactText().view(), "");
  EXPECT_TRUE(CompactText("").empty());
  EXPECT_FALSE(CompactText("a").empty());
}

TEST(CompactText, JoinsTwoInAnArenaThatItsCopiesDoNotNeed) {
  Arena arena;
  CompactText copy;
  {
    Arena other;
    EXPECT_TRUE(CompactText::joined("", "", other).empty());
    const CompactText joined = CompactText::joined("src/", "main.c", other);
    EXPECT_EQ(joined, "src/main.c");
    EXPECT_EQ(CompactText::joined("", "main.c", other), "main.c");
    EXPECT_EQ(other.size(), 2 * sizeof(std::uint32_t) + 16);
    copy = joined;
    arena.adopt(std::move(other));
    EXPECT_EQ(joined, "src/main.c");
  }
  EXPECT_EQ(copy, "src/main.c");
  CompactText moved = CompactText::joined("a", "b", arena);
  const CompactText last = std::move(moved);
  EXPECT_EQ(last, "ab");
  moved = CompactText("owned");
  EXPECT_EQ(moved, "owned");
}

TEST(CompactText, CopiesOwnTheirBytesAndMovedOnesAreEmpty) {
  CompactText first("first");
  CompactText copy = first;
  first = CompactText("second");
  EXPECT_EQ(copy, "first");
  const CompactText moved = std::move(first);
  EXPECT_EQ(moved, "second");
  copy = *&copy;
  EXPECT_EQ(copy, "first");
}

TEST(CompactText, SortsBytewise) {
  std::vector<CompactText> texts = {"b", "a/b", "", "a-b", "\xff", "a"};
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (std::vector<CompactText>{"", "a", "a-b", "a/b", "b", "\xff"}));
  EXPECT_LT(CompactText("a"), "b");
}

}  // namespace
}  // namespace otto
