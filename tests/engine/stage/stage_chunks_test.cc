#include "engine/stage/stage_chunks.h"

#include <gtest/gtest.h>

#include <string>

#include "graph/digest.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

ChunkList cut(std::string_view bytes, std::uint32_t average = 4096, std::size_t block = 100'000) {
  Chunker chunker(average);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), block))) chunker.update(bytes.substr(0, block));
  return chunker.finish();
}

std::uint64_t new_bytes(const std::vector<ChunkRun>& runs, const ChunkList& wanted) {
  std::uint64_t sum = 0;
  for (const auto& run : runs)
    for (std::size_t at = run.first; !run.old && at < run.first + run.count; ++at) sum += wanted.chunks[at].size;
  return sum;
}

/// What the parent would put together.
std::string follow(const std::vector<ChunkRun>& runs, std::string_view old_bytes, const ChunkList& old,
                   std::string_view new_bytes, const ChunkList& wanted) {
  std::string made;
  for (const auto& run : runs) {
    const auto& list = run.old ? old : wanted;
    std::size_t offset = 0;
    for (std::size_t at = 0; at < run.first; ++at) offset += list.chunks[at].size;
    for (std::size_t at = run.first; at < run.first + run.count; ++at) {
      made += (run.old ? old_bytes : new_bytes).substr(offset, list.chunks[at].size);
      offset += list.chunks[at].size;
    }
  }
  return made;
}

TEST(StageChunksTest, SizesKeepTheirBoundsAndAverage) {
  const auto bytes = noise(4'000'000, 1);
  const auto list = cut(bytes);
  EXPECT_EQ(list.bytes(), bytes.size());
  for (std::size_t at = 0; at + 1 < list.chunks.size(); ++at) {
    EXPECT_GT(list.chunks[at].size, 4096U / 4);
    EXPECT_LE(list.chunks[at].size, 4096U * 4);
  }
  const auto average = bytes.size() / list.chunks.size();
  EXPECT_GT(average, 4096U / 2);
  EXPECT_LT(average, 4096U * 2);
  for (const auto& chunk : cut(std::string(200'000, 'x')).chunks) EXPECT_LE(chunk.size, 4096U * 4);
}

TEST(StageChunksTest, HowTheBytesArriveMakesNoDifference) {
  const auto bytes = noise(300'000, 2);
  const auto whole = cut(bytes, 4096, bytes.size());
  for (std::size_t block : {1, 7, 1000, 4096, 65536}) EXPECT_EQ(cut(bytes, 4096, block).chunks, whole.chunks) << block;
}

TEST(StageChunksTest, TheCutsOfAllTimes) {
  // Lists on parents outlive this program: other cuts would make them worthless.
  const auto list = cut(noise(40'000, 3));
  ASSERT_EQ(list.chunks.size(), 10U);
  EXPECT_EQ(graph::sha256(serialize(list)).hex().substr(0, 16), "0c9ab0c20e33bbd2");
}

TEST(StageChunksTest, AnInsertionLeavesTheRest) {
  const auto before = noise(2'000'000, 4);
  auto after = before;
  after.insert(1'000'000, "a few bytes more");
  const auto old = cut(before);
  const auto wanted = cut(after);
  const auto runs = match_chunks(old, wanted, 64);
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_TRUE(runs[0].old && !runs[1].old && runs[2].old);
  EXPECT_LT(new_bytes(runs, wanted), 40'000U);
  EXPECT_EQ(follow(runs, before, old, after, wanted), after);
}

TEST(StageChunksTest, AppendedCutAndMovedContents) {
  const auto before = noise(1'000'000, 5);
  const auto old = cut(before);
  for (const auto& after : {before + noise(50'000, 6), noise(10'000, 7) + before, before.substr(0, 600'000),
                            before.substr(500'000) + before.substr(0, 500'000), before + before}) {
    const auto wanted = cut(after);
    const auto runs = match_chunks(old, wanted, 64);
    ASSERT_FALSE(runs.empty());
    EXPECT_LT(new_bytes(runs, wanted), 80'000U);
    EXPECT_EQ(follow(runs, before, old, after, wanted), after);
  }
}

TEST(StageChunksTest, ManyEditsStayWithinTheNumberOfPieces) {
  const auto before = noise(4'000'000, 8);
  auto after = before;
  for (std::size_t at = 0; at < after.size(); at += 70'000) after[at] = static_cast<char>(after[at] + 1);
  const auto old = cut(before);
  const auto wanted = cut(after);
  for (std::size_t most : {200, 64, 9}) {
    const auto runs = match_chunks(old, wanted, most);
    EXPECT_LE(runs.size(), most);
    EXPECT_EQ(follow(runs, before, old, after, wanted), runs.empty() ? std::string() : after);
  }
  EXPECT_FALSE(match_chunks(old, wanted, 200).empty());
  EXPECT_TRUE(match_chunks(old, wanted, 3).empty());
}

TEST(StageChunksTest, OtherContentsAndOtherAveragesAreNotWorthIt) {
  const auto bytes = noise(1'000'000, 9);
  EXPECT_TRUE(match_chunks(cut(noise(1'000'000, 10)), cut(bytes), 64).empty());
  EXPECT_TRUE(match_chunks(cut(bytes, 8192), cut(bytes), 64).empty());
}

TEST(StageChunksTest, ListsSurviveTheirSpelling) {
  const auto list = cut(noise(100'000, 11), 8192);
  const auto bytes = serialize(list);
  EXPECT_EQ(bytes.size(), (list.chunks.size() + 1) * kChunkRecord);
  const auto read = parse_chunk_list(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->average, 8192U);
  EXPECT_EQ(read->chunks, list.chunks);
  for (const auto& damaged : {std::string(), bytes.substr(1), bytes.substr(0, bytes.size() - 1), std::string(24, 'x')})
    EXPECT_FALSE(parse_chunk_list(damaged));
}

TEST(StageChunksTest, TheAverageGrowsWithTheRootOfTheSize) {
  EXPECT_EQ(chunk_average(0), 4096U);
  EXPECT_EQ(chunk_average(100'000'000), 16'384U);
  EXPECT_EQ(chunk_average(1'000'000'000), 65'536U);
  EXPECT_EQ(chunk_average(std::uint64_t{1} << 50U), 1'048'576U);
}

}  // namespace
}  // namespace otto::stage
