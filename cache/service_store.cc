#include "cache/service_store.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "cache/reason_rows.h"
#include "cache/sqlite.h"

namespace otto::cache {

namespace {

#define OTTO_ACTION_COLUMNS "SELECT id, at_ms, project, parent, service, host_id, action, image FROM service_action "

Result<std::vector<ServiceRecord>> read_actions(sqlite::Connection& connection, sqlite::Query row) {
  std::vector<ServiceRecord> actions;
  while (true) {
    OTTO_TRY(const bool more, row.next());
    if (!more) return actions;
    ServiceRecord action;
    action.id = row.integer(0);
    action.at_ms = row.integer(1);
    action.project = row.text(2);
    action.parent = row.text(3);
    action.service = row.text(4);
    action.host_id = row.text(5);
    action.action = row.text(6);
    action.image = row.text(7);
    OTTO_TRY(action.reasons, read_reasons(connection, ReasonTable::kService, action.id));
    actions.push_back(std::move(action));
  }
}

template <typename... Values>
Result<std::vector<ServiceRecord>> select(Database& database, std::string_view sql, const Values&... values) {
  return database.guarded([&]() -> Result<std::vector<ServiceRecord>> {
    OTTO_TRY(sqlite::Query query, database.connection().query(sql, values...));
    return read_actions(database.connection(), std::move(query));
  });
}

Result<void> insert(sqlite::Connection& connection, const ServiceRecord& action) {
  OTTO_RETURN_IF_ERROR(connection.run(
      "INSERT INTO service_action (at_ms, project, parent, service, host_id, action, image) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      action.at_ms, action.project, action.parent, action.service, action.host_id, action.action, action.image));
  return insert_reasons(connection, ReasonTable::kService, connection.last_insert_id(), action.reasons);
}

}  // namespace

Result<void> ServiceStore::record(std::span<const ServiceRecord> actions) {
  if (actions.empty()) return {};
  return database_->in_transaction([&]() -> Result<void> {
    for (const ServiceRecord& action : actions) OTTO_RETURN_IF_ERROR(insert(database_->connection(), action));
    return {};
  });
}

Result<std::optional<ServiceRecord>> ServiceStore::last(std::string_view project, std::string_view service,
                                                        std::string_view parent) {
  OTTO_TRY(std::vector<ServiceRecord> found,
           select(*database_,
                  OTTO_ACTION_COLUMNS "WHERE project = ?1 AND service = ?2 AND parent = ?3 ORDER BY id DESC LIMIT 1",
                  project, service, parent));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

Result<std::vector<ServiceRecord>> ServiceStore::latest(std::string_view project, std::string_view parent) {
  return select(*database_,
                OTTO_ACTION_COLUMNS
                "WHERE id IN (SELECT max(id) FROM service_action WHERE project = ?1 AND parent = ?2 GROUP BY service) "
                "ORDER BY service",
                project, parent);
}

Result<std::vector<ServiceRecord>> ServiceStore::history(std::string_view project,
                                                         std::optional<std::string_view> service, std::size_t limit) {
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto most = static_cast<std::int64_t>(std::min(limit, kMost));
  if (!service) {
    return select(*database_, OTTO_ACTION_COLUMNS "WHERE project = ?1 ORDER BY id DESC LIMIT ?2", project, most);
  }
  return select(*database_, OTTO_ACTION_COLUMNS "WHERE project = ?1 AND service = ?2 ORDER BY id DESC LIMIT ?3",
                project, *service, most);
}

#undef OTTO_ACTION_COLUMNS

Result<void> ServiceStore::put_definitions(std::span<const StoredDefinition> definitions, std::size_t most) {
  return database_->in_transaction([&]() -> Result<void> {
    sqlite::Connection& connection = database_->connection();
    for (const StoredDefinition& definition : definitions) {
      OTTO_RETURN_IF_ERROR(connection.run(
          "INSERT OR REPLACE INTO service_definition (project, service, digest, body) VALUES (?1, ?2, ?3, ?4)",
          definition.project, definition.service, definition.digest, definition.body));
    }
    return connection.run(
        "DELETE FROM service_definition WHERE sequence NOT IN "
        "(SELECT sequence FROM service_definition ORDER BY sequence DESC LIMIT ?1)",
        static_cast<std::int64_t>(most));
  });
}

Result<std::optional<StoredDefinition>> ServiceStore::definition(std::string_view project, std::string_view service,
                                                                 std::string_view digest) {
  return database_->guarded([&]() -> Result<std::optional<StoredDefinition>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query(
                 "SELECT project, service, digest, body FROM service_definition WHERE project = ?1 AND service = ?2 "
                 "AND digest = ?3",
                 project, service, digest));
    OTTO_TRY(const bool row, query.next());
    if (!row) return std::optional<StoredDefinition>();
    return std::optional(StoredDefinition{query.text(0), query.text(1), query.text(2), query.text(3)});
  });
}

}  // namespace otto::cache
