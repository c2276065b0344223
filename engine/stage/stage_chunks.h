// Content-defined chunks: where a large file is cut, so that an edit in its middle leaves most pieces as they were.
//
// A gear hash over the bytes decides (FastCDC: Xia et al., USENIX ATC 2016, with its two masks). A file's chunk list
// lies on the parent beside the stage, named by the content's SHA-256: whoever holds the new bytes can tell which of
// the old ones are still good without having them. Digests of chunks only propose; the SHA-256 of what was put together
// decides. Pure; must not know files or the protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otto::stage {

/// Files from this size on have chunk lists (docs/performance.md has the measurements).
constexpr std::uint64_t kLargeFile = 512 * 1024;

struct Chunk {
  std::uint32_t size = 0;
  std::uint64_t digest = 0;
  bool operator==(const Chunk&) const = default;
};

struct ChunkList {
  std::uint32_t average = 0;  ///< what it was cut for; lists of different averages have nothing in common
  std::vector<Chunk> chunks;
  [[nodiscard]] std::uint64_t bytes() const;
};

/// The average that makes list and one resent chunk cheapest together: about sqrt(8 · size), a power of two.
std::uint32_t chunk_average(std::uint64_t file_size);
std::uint64_t chunk_digest(std::string_view bytes);

/// Cuts a stream. Chunks have a quarter to four times the average.
class Chunker {
 public:
  explicit Chunker(std::uint32_t average);
  void update(std::string_view bytes);
  ChunkList finish();

 private:
  std::optional<std::size_t> find_cut(std::string_view bytes);
  void cut(std::string_view bytes);

  ChunkList list_;
  std::uint64_t strict_;
  std::uint64_t loose_;
  std::uint64_t hash_ = 0;
  std::string begun_;  // the chunk that is not whole yet
};

/// Records of one size, so that lists are put together from pieces as files are: a head, then a record a chunk.
constexpr std::size_t kChunkRecord = 12;
std::string serialize(const ChunkList& list);
std::string serialize(const Chunk& chunk);
std::optional<ChunkList> parse_chunk_list(std::string_view bytes);

/// A run of chunks, in the old list or in the new one.
struct ChunkRun {
  bool old = false;
  std::size_t first = 0;
  std::size_t count = 0;
  bool operator==(const ChunkRun&) const = default;
};
/// The new content as runs, in order, `most` at most: short runs of the old are sent again where there would be more.
/// Empty: less than a quarter of the bytes would be spared.
std::vector<ChunkRun> match_chunks(const ChunkList& old, const ChunkList& wanted, std::size_t most);

}  // namespace otto::stage
