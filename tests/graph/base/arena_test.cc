#include "graph/base/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace otto {
namespace {

TEST(Arena, RoomsOfAnySizeStayWhereTheyAre) {
  Arena arena;
  std::vector<std::pair<char*, std::size_t>> rooms;
  std::size_t sum = 0;
  for (std::size_t size = 0; size < 3'000'000; size = size * 3 / 2 + 1) {
    rooms.emplace_back(arena.room(size), size);
    std::fill_n(rooms.back().first, size, static_cast<char>('a' + rooms.size() % 26));
    sum += size;
  }
  EXPECT_EQ(arena.size(), sum);
  const Arena moved = std::move(arena);
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    const std::string_view text(rooms[i].first, rooms[i].second);
    EXPECT_EQ(text.find_first_not_of(static_cast<char>('a' + (i + 1) % 26)), std::string_view::npos) << i;
  }
}

TEST(Arena, AlignsWhatNeedsIt) {
  Arena arena;
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(arena.text("odd"), "odd");
    const auto numbers = arena.array<std::uint64_t>(3);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(std::uint64_t), 0U);
    EXPECT_EQ(std::vector<std::uint64_t>(numbers.begin(), numbers.end()), std::vector<std::uint64_t>(3));
  }
  EXPECT_TRUE(arena.array<std::uint64_t>(0).empty());
  const auto copied = arena.copy(std::vector<int>{3, 1, 2});
  EXPECT_EQ(std::vector<int>(copied.begin(), copied.end()), (std::vector<int>{3, 1, 2}));
  EXPECT_EQ(arena.joined("src/", "main.c"), "src/main.c");
}

TEST(Arena, WhatIsTakenOverLivesOnAndTheOtherStartsAnew) {
  Arena whole;
  std::vector<std::string_view> texts = {whole.text("first")};
  for (int i = 0; i < 100; ++i) {
    Arena part;
    texts.push_back(part.text(std::string(1000, static_cast<char>('a' + i % 26))));
    whole.adopt(std::move(part));
    texts.push_back(part.text("of the emptied one"));  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(texts.back(), "of the emptied one");
    texts.pop_back();
    texts.push_back(whole.text("between"));
  }
  EXPECT_EQ(whole.size(), 5U + 100 * 1007);
  EXPECT_EQ(texts[0], "first");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(texts[1 + 2 * static_cast<std::size_t>(i)], std::string(1000, static_cast<char>('a' + i % 26)));
    EXPECT_EQ(texts[2 + 2 * static_cast<std::size_t>(i)], "between");
  }
}

}  // namespace
}  // namespace otto
