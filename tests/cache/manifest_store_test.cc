#include "cache/manifest_store.h"

#include "cache/build_store.h"
#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

graph::ContextManifest a_manifest(std::string_view content) {
  graph::ContextEntry entry;
  entry.path = "src/main.c";
  entry.mode = 0644;
  entry.size = content.size();
  entry.digest = graph::sha256(content);
  return {{entry}};
}

/// As stored.
std::string some_stats(std::string_view path) {
  StatManifest stats;
  stats.entries.resize(1);
  StatEntry& entry = stats.entries.front();
  entry.path = path;
  entry.mode = 0644;
  entry.inode = 42;
  entry.digest = graph::sha256("x");
  return serialize(stats);
}

class Manifests : public MemoTest {
 protected:
  graph::Digest store(std::string_view content) {
    const graph::ContextManifest manifest = a_manifest(content);
    EXPECT_TRUE(manifests.store_manifest(manifest, manifest.hash()).ok());
    return manifest.hash();
  }
  /// A build whose context is the manifest of that hash.
  void record(const graph::Digest& context, std::string image = "api") {
    graph::FingerprintBuilder builder;
    builder.add_digest(graph::ComponentKind::kContext, ".", context);
    BuildRecord build = a_build(std::move(image));
    build.fingerprint = std::move(builder).finish();
    EXPECT_TRUE(BuildStore(database).record(build).ok());
  }
  [[nodiscard]] bool stored(const graph::Digest& hash) { return manifests.load_manifest(hash)->has_value(); }

  Database database = open();
  ManifestStore manifests{database};
};

TEST_F(Manifests, StatsOfManyFilesComeBackWhole) {
  StatManifest stats;
  std::vector<std::string> paths;
  for (int i = 0; i < 60'000; ++i) paths.push_back("some/folder/of/the/context/file_" + std::to_string(1'000'000 + i));
  for (const std::string& path : paths) {
    StatEntry& entry = stats.entries.emplace_back();
    entry.path = path;
    entry.inode = stats.entries.size();
    entry.digest = graph::sha256(path);
  }
  const std::string stored = serialize(stats);
  ASSERT_TRUE(manifests.store_stats("ctx", stored).ok());
  const auto loaded = manifests.load_stats("ctx");
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_TRUE((*loaded)->entries == stats.entries);
  EXPECT_TRUE(serialize(**loaded) == stored);
}

TEST_F(Manifests, StatsByContextAndReplaced) {
  EXPECT_FALSE(manifests.load_stats("ctx")->has_value());
  ASSERT_TRUE(manifests.store_stats("ctx", some_stats("a")).ok());
  ASSERT_TRUE(manifests.store_stats("other", some_stats("b")).ok());
  ASSERT_TRUE(manifests.store_stats("ctx", some_stats("c")).ok());
  const auto stats = manifests.load_stats("ctx");
  ASSERT_TRUE(stats.ok() && stats->has_value());
  EXPECT_EQ(serialize(**stats), some_stats("c"));
  EXPECT_EQ(serialize(**manifests.load_stats("other")), some_stats("b"));
}

TEST_F(Manifests, SmallStatsOfManyContextsAtOnce) {
  ASSERT_TRUE(manifests.store_stats("small", some_stats("a")).ok());
  ASSERT_TRUE(manifests.store_stats("large", some_stats(std::string(2000, 'b'))).ok());
  ASSERT_TRUE(manifests.store_stats("nobody's", some_stats("c")).ok());
  const std::vector<std::string_view> keys = {"large", "absent", "small"};
  const auto found = manifests.load_small_stats(keys, 1000);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(serialize(found->at("small")), some_stats("a"));

  const auto all = manifests.load_small_stats(keys, 10'000);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 2U);
  // Also inside of a transaction, which goes on behind it.
  ASSERT_TRUE(database
                  .in_transaction([&]() -> Result<void> {
                    OTTO_RETURN_IF_ERROR(manifests.load_small_stats(keys, 1000));
                    return manifests.store_stats("within", some_stats("d"));
                  })
                  .ok());
  EXPECT_TRUE(manifests.load_stats("within")->has_value());
}

TEST_F(Manifests, DamagedStatsAreAbsentAndCanBeStoredAgain) {
  ASSERT_TRUE(manifests.store_stats("ctx", some_stats("a")).ok());
  raw(file, "UPDATE stat_manifest SET body = substr(body, 1, length(body) - 1)");
  auto stats = manifests.load_stats("ctx");
  ASSERT_TRUE(stats.ok());
  EXPECT_FALSE(stats->has_value());
  ASSERT_TRUE(manifests.store_stats("ctx", some_stats("a")).ok());
  EXPECT_TRUE(manifests.load_stats("ctx")->has_value());
}

TEST_F(Manifests, ByTheirHash) {
  const graph::Digest hash = store("1");
  const auto loaded = manifests.load_manifest(hash);
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->hash(), hash);
  EXPECT_TRUE((*loaded)->entries[0].same_content(a_manifest("1").entries[0]));
  EXPECT_FALSE(stored(a_manifest("2").hash()));
}

TEST_F(Manifests, OneThatHasNotItsHashIsAbsentUntilStoredAgain) {
  const graph::Digest first = store("1"), second = store("2");
  raw(file, "UPDATE manifest SET body = (SELECT body FROM manifest WHERE hash = '" + second.hex() + "')");
  EXPECT_FALSE(stored(first));
  EXPECT_TRUE(stored(second));
  raw(file, "UPDATE manifest SET body = x''");
  EXPECT_FALSE(stored(second));
  store("1");
  EXPECT_TRUE(stored(first));
}

TEST_F(Manifests, ForgettingKeepsTheLastBuildsAndTheNewestFew) {
  const graph::Digest superseded = store("superseded"), wanted = store("wanted"), loose = store("loose");
  record(superseded);
  record(wanted);
  const graph::Digest other = store("other");
  record(other, "db");
  std::vector<graph::Digest> newest;
  for (int i = 0; i < 8; ++i) newest.push_back(store("new " + std::to_string(i)));
  ASSERT_TRUE(manifests.forget_unused().ok());
  EXPECT_FALSE(stored(superseded));
  EXPECT_FALSE(stored(loose));
  EXPECT_TRUE(stored(wanted));
  EXPECT_TRUE(stored(other));
  for (const graph::Digest& hash : newest) EXPECT_TRUE(stored(hash));
}

TEST_F(Manifests, ForgettingDropsTheOldestStatsOnceTheyAreLarge) {
  const auto name = [](int i) { return "ctx" + std::to_string(i); };
  const std::string large = some_stats(std::string(20'000, 'p'));
  ASSERT_TRUE(database
                  .in_transaction([&]() -> Result<void> {
                    for (int i = 0; i < 16; ++i) OTTO_RETURN_IF_ERROR(manifests.store_stats(name(i), large));
                    for (int i = 16; i < 1000; ++i) {
                      OTTO_RETURN_IF_ERROR(manifests.store_stats(name(i), some_stats("a")));
                    }
                    return manifests.store_stats(name(0), large);
                  })
                  .ok());
  ASSERT_TRUE(manifests.forget_unused(400'000).ok());
  EXPECT_TRUE(manifests.load_stats(name(0))->has_value());
  EXPECT_FALSE(manifests.load_stats(name(1))->has_value());
  EXPECT_TRUE(manifests.load_stats(name(15))->has_value());
  for (int i = 16; i < 1000; ++i) EXPECT_TRUE(manifests.load_stats(name(i))->has_value()) << i;
}

}  // namespace
}  // namespace otto::cache
