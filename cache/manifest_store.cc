#include "cache/manifest_store.h"

#include <string>

#include "cache/sqlite.h"

namespace otto::cache {

namespace {

constexpr int kNewest = 8;

/// What `read` gives, all of it as of one moment.
template <typename Read>
auto reading(sqlite::Connection& connection, Read read) -> decltype(read()) {
  OTTO_RETURN_IF_ERROR(connection.run("SAVEPOINT reads"));
  auto result = read();
  OTTO_RETURN_IF_ERROR(connection.run("RELEASE reads"));
  return result;
}

}  // namespace

Result<std::optional<StatManifest>> ManifestStore::load_stats(std::string_view context_key) {
  return database_->guarded([&]() -> Result<std::optional<StatManifest>> {
    sqlite::Connection& connection = database_->connection();
    return reading(connection, [&]() -> Result<std::optional<StatManifest>> {
      OTTO_TRY(sqlite::Query query,
               connection.query("SELECT sequence FROM stat_manifest WHERE context_key = ?1", context_key));
      OTTO_TRY(const bool row, query.next());
      if (!row) return std::optional<StatManifest>();
      OTTO_TRY(const auto body, connection.blob("stat_manifest", "body", query.integer(0)));
      return parse_stat_manifest({body.first.get(), body.second});
    });
  });
}

Result<StatsByContext> ManifestStore::load_small_stats(std::span<const std::string_view> context_keys,
                                                       std::size_t most) {
  return database_->guarded([&]() -> Result<StatsByContext> {
    sqlite::Connection& connection = database_->connection();
    return reading(connection, [&]() -> Result<StatsByContext> {
      StatsByContext found;
      for (const std::string_view key : context_keys) {
        OTTO_TRY(sqlite::Query query,
                 connection.query("SELECT body FROM stat_manifest WHERE context_key = ?1 AND length(body) <= ?2", key,
                                  most));
        OTTO_TRY(const bool row, query.next());
        auto stats = row ? parse_stat_manifest(query.bytes(0)) : std::nullopt;
        if (stats) found.emplace(key, std::move(*stats));
      }
      return found;
    });
  });
}

Result<void> ManifestStore::store_stats(std::string_view context_key, std::string_view stored) {
  return database_->guarded([&] {
    return database_->connection().run("INSERT OR REPLACE INTO stat_manifest (context_key, body) VALUES (?1, ?2)",
                                       context_key, sqlite::Blob{stored});
  });
}

Result<std::optional<graph::ContextManifest>> ManifestStore::load_manifest(const graph::Digest& hash) {
  return database_->guarded([&]() -> Result<std::optional<graph::ContextManifest>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query("SELECT body FROM manifest WHERE hash = ?1", hash.hex()));
    OTTO_TRY(const bool row, query.next());
    if (!row) return std::optional<graph::ContextManifest>();
    std::optional<graph::ContextManifest> manifest = graph::parse_manifest(query.bytes(0));
    if (manifest && manifest->hash() != hash) manifest.reset();
    return manifest;
  });
}

Result<void> ManifestStore::store_manifest(const graph::ContextManifest& manifest, const graph::Digest& hash) {
  const std::string body = graph::serialize(manifest);
  const std::string key = hash.hex();
  return database_->guarded([&]() -> Result<void> {
    sqlite::Connection& connection = database_->connection();
    {
      OTTO_TRY(sqlite::Query query, connection.query("SELECT body FROM manifest WHERE hash = ?1", key));
      OTTO_TRY(const bool row, query.next());
      if (row && query.bytes(0) == body) return {};
    }
    return connection.run("INSERT OR REPLACE INTO manifest (hash, body) VALUES (?1, ?2)", key, sqlite::Blob{body});
  });
}

Result<void> ManifestStore::forget_unused(std::int64_t bytes_of_stats) {
  return database_->in_transaction([&]() -> Result<void> {
    sqlite::Connection& connection = database_->connection();
    OTTO_RETURN_IF_ERROR(
        connection.run("DELETE FROM manifest WHERE hash NOT IN (SELECT hash FROM build_context WHERE build_id IN "
                       "(SELECT max(id) FROM build GROUP BY project, image, parent)) "
                       "AND sequence NOT IN (SELECT sequence FROM manifest ORDER BY sequence DESC LIMIT ?1)",
                       kNewest));
    return connection.run(
        "DELETE FROM stat_manifest WHERE sequence IN (SELECT sequence FROM (SELECT sequence, "
        "row_number() OVER newest AS rank, sum(length(body)) OVER newest AS bytes FROM stat_manifest "
        "WINDOW newest AS (ORDER BY sequence DESC)) WHERE rank > ?1 AND bytes > ?2)",
        kNewest, bytes_of_stats);
  });
}

}  // namespace otto::cache
