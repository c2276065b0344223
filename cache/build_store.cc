#include "cache/build_store.h"

#include <string>
#include <utility>

#include "cache/reason_rows.h"
#include "cache/sqlite.h"

namespace otto::cache {

namespace {

#define OTTO_BUILD_COLUMNS                                                                                      \
  "SELECT id, at_ms, project, image, parent, hash, tag, image_id, duration_ms, uploaded_bytes, uploaded_files," \
  " fingerprint FROM build "
#define OTTO_HAS_REASONS "AND EXISTS (SELECT 1 FROM build_reason WHERE build_id = build.id) "

/// The record in the current row without its reasons; nullopt if its fingerprint is damaged.
std::optional<BuildRecord> read_record(const sqlite::Query& row) {
  std::optional<graph::Fingerprint> fingerprint = graph::parse_fingerprint(row.bytes(11));
  if (!fingerprint) return std::nullopt;
  BuildRecord build;
  build.id = row.integer(0);
  build.at_ms = row.integer(1);
  build.project = row.text(2);
  build.image = row.text(3);
  build.parent = row.text(4);
  build.hash = row.text(5);
  build.tag = row.text(6);
  build.image_id = row.text(7);
  build.duration_ms = row.count(8);
  build.uploaded_bytes = row.count(9);
  build.uploaded_files = row.count(10);
  build.fingerprint = std::move(*fingerprint);
  return build;
}

/// The first `limit` whole records of `query`, with their reasons.
Result<std::vector<BuildRecord>> read_builds(sqlite::Connection& connection, sqlite::Query query, std::size_t limit) {
  std::vector<BuildRecord> builds;
  while (builds.size() < limit) {
    OTTO_TRY(const bool row, query.next());
    if (!row) break;
    std::optional<BuildRecord> build = read_record(query);
    if (!build) continue;
    OTTO_TRY(build->reasons, read_reasons(connection, ReasonTable::kBuild, build->id));
    builds.push_back(std::move(*build));
  }
  return builds;
}

template <typename... Values>
Result<std::vector<BuildRecord>> select(Database& database, std::size_t limit, std::string_view sql,
                                        const Values&... values) {
  return database.guarded([&]() -> Result<std::vector<BuildRecord>> {
    sqlite::Connection& connection = database.connection();
    OTTO_TRY(sqlite::Query query, connection.query(sql, values...));
    return read_builds(connection, std::move(query), limit);
  });
}

Result<std::optional<BuildRecord>> first_of(Result<std::vector<BuildRecord>> builds) {
  if (!builds.ok()) return std::move(builds).error();
  if (builds->empty()) return std::optional<BuildRecord>();
  return std::optional(std::move(builds->front()));
}

Result<std::int64_t> insert(sqlite::Connection& connection, const BuildRecord& build) {
  const std::string fingerprint = graph::serialize(build.fingerprint);
  OTTO_RETURN_IF_ERROR(connection.run(
      "INSERT INTO build (at_ms, project, image, parent, hash, tag, image_id, duration_ms, uploaded_bytes, "
      "uploaded_files, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
      build.at_ms, build.project, build.image, build.parent, build.hash, build.tag, build.image_id, build.duration_ms,
      build.uploaded_bytes, build.uploaded_files, sqlite::Blob{fingerprint}));
  const std::int64_t id = connection.last_insert_id();
  OTTO_RETURN_IF_ERROR(insert_reasons(connection, ReasonTable::kBuild, id, build.reasons));
  for (const graph::Component& component : build.fingerprint.components) {
    if (component.kind != graph::ComponentKind::kContext) continue;
    OTTO_RETURN_IF_ERROR(connection.run("INSERT OR IGNORE INTO build_context (build_id, hash) VALUES (?1, ?2)", id,
                                        component.digest.hex()));
  }
  return id;
}

}  // namespace

Result<std::int64_t> BuildStore::record(const BuildRecord& build) {
  std::int64_t id = 0;
  OTTO_RETURN_IF_ERROR(database_->in_transaction([&]() -> Result<void> {
    OTTO_TRY(id, insert(database_->connection(), build));
    return {};
  }));
  return id;
}

Result<std::optional<BuildRecord>> BuildStore::last_build(std::string_view project, std::string_view image,
                                                          std::string_view parent) {
  return first_of(select(*database_, 1,
                         OTTO_BUILD_COLUMNS "WHERE project = ?1 AND image = ?2 AND parent = ?3 ORDER BY id DESC",
                         project, image, parent));
}

Result<std::optional<BuildRecord>> BuildStore::last_build_anywhere(std::string_view project, std::string_view image) {
  return first_of(
      select(*database_, 1, OTTO_BUILD_COLUMNS "WHERE project = ?1 AND image = ?2 ORDER BY id DESC", project, image));
}

Result<std::optional<BuildRecord>> BuildStore::last_made(std::string_view project, std::string_view image,
                                                         std::optional<std::string_view> parent) {
  if (parent) {
    return first_of(select(*database_, 1,
                           OTTO_BUILD_COLUMNS "WHERE project = ?1 AND image = ?2 AND parent = ?3 " OTTO_HAS_REASONS
                                              "ORDER BY id DESC",
                           project, image, *parent));
  }
  return first_of(select(*database_, 1,
                         OTTO_BUILD_COLUMNS "WHERE project = ?1 AND image = ?2 " OTTO_HAS_REASONS "ORDER BY id DESC",
                         project, image));
}

Result<std::optional<BuildRecord>> BuildStore::find(std::string_view project, std::string_view image,
                                                    std::string_view parent, std::string_view hash) {
  return first_of(select(*database_, 1,
                         OTTO_BUILD_COLUMNS
                         "WHERE project = ?1 AND image = ?2 AND parent = ?3 AND hash = ?4 ORDER BY id DESC",
                         project, image, parent, hash));
}

Result<std::vector<BuildRecord>> BuildStore::history(std::string_view project, std::optional<std::string_view> image,
                                                     std::size_t limit) {
  if (image) {
    return select(*database_, limit, OTTO_BUILD_COLUMNS "WHERE project = ?1 AND image = ?2 ORDER BY id DESC", project,
                  *image);
  }
  return select(*database_, limit, OTTO_BUILD_COLUMNS "WHERE project = ?1 ORDER BY id DESC", project);
}

#undef OTTO_HAS_REASONS
#undef OTTO_BUILD_COLUMNS

}  // namespace otto::cache
