#include "cache/registration_store.h"

#include <algorithm>
#include <utility>

#include "cache/registration_rows.h"
#include "cache/sqlite.h"

namespace otto::cache {

namespace {

#define OTTO_REGISTRATION_COLUMNS                                                                                \
  "host_id, parent, lab, project, compose_project, service, replica, container_id, image, state, last_seen_ms, " \
  "fingerprint, reason"

Registration read_row(const sqlite::Query& row) {
  Registration registration;
  registration.host_id = row.text(0);
  registration.parent = row.text(1);
  registration.lab = row.text(2);
  registration.project = row.text(3);
  registration.compose_project = row.text(4);
  registration.service = row.text(5);
  registration.replica = static_cast<unsigned>(row.integer(6));
  registration.container_id = row.text(7);
  registration.image = row.text(8);
  registration.state = row.text(9);
  registration.last_seen_ms = row.integer(10);
  registration.fingerprint = row.text(11);
  registration.reason = row.text(12);
  return registration;
}

Result<sqlite::Query> select(sqlite::Connection& connection, std::optional<std::string_view> host_id) {
  constexpr std::string_view kAll = "SELECT " OTTO_REGISTRATION_COLUMNS " FROM registration ORDER BY host_id";
  constexpr std::string_view kOne = "SELECT " OTTO_REGISTRATION_COLUMNS " FROM registration WHERE host_id = ?1";
  return host_id ? connection.query(kOne, *host_id) : connection.query(kAll);
}

Result<std::vector<Registration>> read_rows(sqlite::Query query) {
  std::vector<Registration> registrations;
  while (true) {
    OTTO_TRY(const bool row, query.next());
    if (!row) return registrations;
    registrations.push_back(read_row(query));
  }
}

/// Are `known` the same containers, seen less than a minute before?
bool are_same(const std::vector<Registration>& known, const std::vector<Registration>& registrations) {
  constexpr std::int64_t kMinute = 60'000;
  const auto is_same = [](const Registration& before, Registration now) {
    const bool lately = now.last_seen_ms >= before.last_seen_ms && now.last_seen_ms - before.last_seen_ms < kMinute;
    now.last_seen_ms = before.last_seen_ms;
    now.parent = before.parent;
    now.project = before.project;
    return lately && now == before;
  };
  return known.size() == registrations.size() && std::ranges::all_of(known, [&](const Registration& before) {
           const auto now = std::ranges::find(registrations, before.host_id, &Registration::host_id);
           return now != registrations.end() && is_same(before, *now);
         });
}

}  // namespace

Result<std::vector<Registration>> read_registrations(sqlite::Connection& connection,
                                                     std::optional<std::string_view> host_id) {
  OTTO_TRY(sqlite::Query query, select(connection, host_id));
  return read_rows(std::move(query));
}

Result<void> RegistrationStore::replace(std::string_view parent, std::string_view project,
                                        const std::vector<Registration>& registrations) {
  return database_->in_transaction([&]() -> Result<void> {
    OTTO_TRY(sqlite::Query query, database_->connection().query("SELECT " OTTO_REGISTRATION_COLUMNS
                                                                " FROM registration WHERE parent = ?1 AND project = ?2",
                                                                parent, project));
    OTTO_TRY(const auto known, read_rows(std::move(query)));
    if (are_same(known, registrations)) return {};
    OTTO_RETURN_IF_ERROR(remove(parent, project));
    for (const Registration& registration : registrations) {
      OTTO_RETURN_IF_ERROR(database_->connection().run(
          "INSERT OR REPLACE INTO registration (" OTTO_REGISTRATION_COLUMNS
          ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
          registration.host_id, parent, registration.lab, project, registration.compose_project, registration.service,
          registration.replica, registration.container_id, registration.image, registration.state,
          registration.last_seen_ms, registration.fingerprint, registration.reason));
    }
    return {};
  });
}

#undef OTTO_REGISTRATION_COLUMNS

Result<void> RegistrationStore::remove(std::string_view parent, std::string_view project) {
  return database_->guarded([&] {
    return database_->connection().run("DELETE FROM registration WHERE parent = ?1 AND project = ?2", parent, project);
  });
}

Result<void> RegistrationStore::mark_gone(std::string_view host_id, std::int64_t seen_ms) {
  return database_->guarded([&] {
    return database_->connection().run(
        "UPDATE registration SET container_id = '', state = 'gone', last_seen_ms = ?2 WHERE host_id = ?1", host_id,
        seen_ms);
  });
}

Result<std::optional<Registration>> RegistrationStore::find(std::string_view host_id) {
  return database_->guarded([&]() -> Result<std::optional<Registration>> {
    OTTO_TRY(std::vector<Registration> found, read_registrations(database_->connection(), host_id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
  });
}

Result<std::vector<Registration>> RegistrationStore::all() {
  return database_->guarded([&] { return read_registrations(database_->connection()); });
}

}  // namespace otto::cache
