#include "engine/stage/stage_chunks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "graph/base/result.h"
#include "graph/digest.h"

namespace otto::stage {
namespace {

constexpr std::uint32_t kSmallestAverage = 4 * 1024;
constexpr std::uint32_t kLargestAverage = 1024 * 1024;
constexpr std::uint64_t kShortRun = 16 * 1024;  // costs the parent a process: sooner sent again
constexpr std::uint32_t kMagic = 0x6b6e6863;

/// 256 fixed random numbers (splitmix64): part of what a chunk is, never to be changed.
constexpr std::array<std::uint64_t, 256> make_gear() {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 0;
  for (auto& number : gear) {
    std::uint64_t bits = state += 0x9e3779b97f4a7c15U;
    bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
    number = bits ^ (bits >> 31U);
  }
  return gear;
}
constexpr auto kGear = make_gear();

/// The highest bits, which the longest stretch of bytes has had a say in.
constexpr std::uint64_t high_mask(int bits) { return ~std::uint64_t{0} << (64 - bits); }

void put_number(std::string& bytes, std::uint64_t number, int size) {
  for (int at = 0; at < size; ++at) bytes += static_cast<char>(number >> (8 * at));
}
std::uint64_t get_number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t byte = size; byte-- > 0;) number = number << 8U | static_cast<unsigned char>(bytes[at + byte]);
  return number;
}

std::uint64_t bytes_of(const ChunkList& list, const ChunkRun& run) {
  std::uint64_t bytes = 0;
  for (std::size_t at = run.first; at < run.first + run.count; ++at) bytes += list.chunks[at].size;
  return bytes;
}

struct ChunkHash {
  std::size_t operator()(const Chunk& chunk) const { return static_cast<std::size_t>(chunk.digest); }
};

/// Runs as they come, each with the place it has in the new list.
struct Placed {
  ChunkRun run;
  std::size_t at = 0;
};
std::vector<Placed> find_runs(const ChunkList& old, const ChunkList& wanted) {
  std::unordered_map<Chunk, std::size_t, ChunkHash> known;
  for (std::size_t at = 0; at < old.chunks.size(); ++at) known.try_emplace(old.chunks[at], at);
  std::vector<Placed> runs;
  for (std::size_t at = 0; at < wanted.chunks.size(); ++at) {
    const auto& chunk = wanted.chunks[at];
    auto* last = runs.empty() ? nullptr : &runs.back().run;
    auto next = last != nullptr && last->old ? last->first + last->count : old.chunks.size();
    if (next < old.chunks.size() && old.chunks[next] == chunk) {
      ++last->count;
    } else if (auto found = known.find(chunk); found != known.end()) {
      runs.push_back({{true, found->second, 1}, at});
    } else if (last != nullptr && !last->old) {
      ++last->count;
    } else {
      runs.push_back({{false, at, 1}, at});
    }
  }
  return runs;
}

/// Old runs shorter than `least` become new ones, and neighbours join.
std::vector<Placed> without_short_runs(const std::vector<Placed>& runs, const ChunkList& old, std::uint64_t least) {
  std::vector<Placed> joined;
  for (auto placed : runs) {
    if (placed.run.old && bytes_of(old, placed.run) < least) placed.run = {false, placed.at, placed.run.count};
    if (!placed.run.old && !joined.empty() && !joined.back().run.old) {
      joined.back().run.count += placed.run.count;
    } else {
      joined.push_back(placed);
    }
  }
  return joined;
}

}  // namespace

std::uint64_t ChunkList::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& chunk : chunks) sum += chunk.size;
  return sum;
}

std::uint32_t chunk_average(std::uint64_t file_size) {
  auto best = static_cast<std::uint64_t>(std::sqrt(8.0 * static_cast<double>(file_size)));
  auto bounded = std::clamp<std::uint64_t>(best, kSmallestAverage, kLargestAverage);
  return static_cast<std::uint32_t>(std::bit_floor(bounded));
}

std::uint64_t chunk_digest(std::string_view bytes) { return graph::checksum(bytes).low; }

Chunker::Chunker(std::uint32_t average)
    : strict_(high_mask(std::countr_zero(average) + 1)), loose_(high_mask(std::countr_zero(average) - 1)) {
  OTTO_CHECK(std::has_single_bit(average));
  list_.average = average;
}

/// Where among `bytes` the chunk that has begun ends.
std::optional<std::size_t> Chunker::find_cut(std::string_view bytes) {
  const std::size_t had = begun_.size();
  const std::size_t least = list_.average / 4;
  const std::size_t most = std::size_t{list_.average} * 4;
  std::size_t at = had < least ? std::min(bytes.size(), least - had) : 0;
  const auto roll = [&](std::size_t until, std::uint64_t mask) {
    for (const std::size_t end = until > had ? std::min(bytes.size(), until - had) : 0; at < end; ++at) {
      hash_ = (hash_ << 1U) + kGear[static_cast<unsigned char>(bytes[at])];
      if ((hash_ & mask) == 0) return true;
    }
    return false;
  };
  if (roll(list_.average, strict_) || roll(most, loose_)) return at + 1;
  if (had + bytes.size() >= most) return most - had;
  return std::nullopt;
}

void Chunker::update(std::string_view bytes) {
  while (const auto end = find_cut(bytes)) {
    cut(bytes.substr(0, *end));
    bytes.remove_prefix(*end);
  }
  begun_ += bytes;
}

void Chunker::cut(std::string_view bytes) {
  if (!begun_.empty()) {
    begun_ += bytes;
    bytes = begun_;
  }
  list_.chunks.push_back({static_cast<std::uint32_t>(bytes.size()), chunk_digest(bytes)});
  begun_.clear();
  hash_ = 0;
}

ChunkList Chunker::finish() {
  if (!begun_.empty()) cut({});
  return std::move(list_);
}

std::string serialize(const Chunk& chunk) {
  std::string record;
  put_number(record, chunk.size, 4);
  put_number(record, chunk.digest, 8);
  return record;
}

std::string serialize(const ChunkList& list) {
  std::string bytes = serialize(Chunk{kMagic, list.average});
  bytes.reserve((list.chunks.size() + 1) * kChunkRecord);
  for (const auto& chunk : list.chunks) bytes += serialize(chunk);
  return bytes;
}

std::optional<ChunkList> parse_chunk_list(std::string_view bytes) {
  if (bytes.size() < kChunkRecord || bytes.size() % kChunkRecord != 0) return std::nullopt;
  const auto average = get_number(bytes, 4, 8);
  if (get_number(bytes, 0, 4) != kMagic || !std::has_single_bit(average) || average < kSmallestAverage ||
      average > kLargestAverage)
    return std::nullopt;
  ChunkList list{static_cast<std::uint32_t>(average), {}};
  list.chunks.reserve(bytes.size() / kChunkRecord);
  for (std::size_t at = kChunkRecord; at < bytes.size(); at += kChunkRecord)
    list.chunks.push_back({static_cast<std::uint32_t>(get_number(bytes, at, 4)), get_number(bytes, at + 4, 8)});
  return list;
}

std::vector<ChunkRun> match_chunks(const ChunkList& old, const ChunkList& wanted, std::size_t most) {
  if (old.average != wanted.average) return {};
  auto runs = without_short_runs(find_runs(old, wanted), old, kShortRun);
  for (std::uint64_t least = kShortRun * 2; runs.size() > most; least *= 2) runs = without_short_runs(runs, old, least);
  std::vector<ChunkRun> plain;
  std::uint64_t spared = 0;
  for (const auto& placed : runs) {
    plain.push_back(placed.run);
    if (placed.run.old) spared += bytes_of(old, placed.run);
  }
  if (spared < wanted.bytes() / 4) plain.clear();
  return plain;
}

}  // namespace otto::stage
