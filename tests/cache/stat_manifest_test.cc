#include "cache/stat_manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace otto::cache {
namespace {

/// Borrows `path`.
StatEntry entry(std::string_view path, graph::EntryType type = graph::EntryType::kFile) {
  StatEntry made;
  made.path = path;
  made.type = type;
  made.mode = 0644;
  made.device = 7;
  made.inode = 1234567890123;
  made.size = 42;
  made.mtime_ns = 1'700'000'000'123'456'789;
  made.ctime_ns = -1;
  if (type == graph::EntryType::kFile) {
    made.change = {1, 2};
    made.digest = graph::sha256("content");
  } else if (type == graph::EntryType::kSymlink) {
    made.target = "../somewhere";
  }
  return made;
}

StatManifest sample() {
  StatManifest manifest;
  manifest.entries = {entry("a"), entry("a/b"),  entry("a/bc", graph::EntryType::kSymlink),
                      entry("b"), entry("\xff"), entry("\xff\xff", graph::EntryType::kFifo)};
  manifest.entries[1].racy = true;
  manifest.entries[3].device = 8;
  manifest.entries[4].device = 8;
  return manifest;
}

TEST(StatManifest, ComesBackWhole) {
  const StatManifest manifest = sample();
  std::string stored = serialize(manifest);
  auto back = parse_stat_manifest(stored);
  std::fill(stored.begin(), stored.end(), 'x');  // nothing of it is borrowed
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->entries, manifest.entries);
  const StatManifest moved = std::move(*back);
  back.reset();
  EXPECT_EQ(moved.entries, manifest.entries);

  const auto none = parse_stat_manifest(serialize({}));
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->entries.empty());
}

TEST(StatManifest, DamageIsNoticed) {
  const std::string whole = serialize(sample());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 16);
    EXPECT_FALSE(parse_stat_manifest(flipped).has_value()) << "byte " << i;
    EXPECT_FALSE(parse_stat_manifest(whole.substr(0, i)).has_value()) << "cut at " << i;
  }
  EXPECT_FALSE(parse_stat_manifest(whole + '\0').has_value());
  EXPECT_FALSE(parse_stat_manifest("").has_value());
}

TEST(StatManifest, EntriesOutOfOrderAreRefused) {
  for (const char* second : {"a", "b"}) {
    StatManifest manifest;
    manifest.entries = {entry("b"), entry(second)};
    EXPECT_FALSE(parse_stat_manifest(serialize(manifest)).has_value());
  }
}

TEST(StatManifest, SharesTheHeadsOfPaths) {
  StatManifest manifest;
  const std::string deep(200, 'd');
  std::deque<std::string> paths;
  for (char c = 'a'; c <= 'z'; ++c) manifest.entries.push_back(entry(paths.emplace_back(deep + "/" + c)));
  EXPECT_LT(serialize(manifest).size(), 26 * 110 + 300);
}

}  // namespace
}  // namespace otto::cache
