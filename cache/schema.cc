#include "cache/schema.h"

#include <fmt/format.h>

#include <array>

namespace otto::cache {

namespace {

// Times are milliseconds since the epoch. TEXT holds any bytes; nothing here is ever compared but bytewise.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stat_manifest (
  sequence INTEGER PRIMARY KEY,
  context_key TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE manifest (
  sequence INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE build (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  project TEXT NOT NULL,
  image TEXT NOT NULL,
  parent TEXT NOT NULL,
  hash TEXT NOT NULL,
  tag TEXT NOT NULL,
  image_id TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  uploaded_bytes INTEGER NOT NULL,
  uploaded_files INTEGER NOT NULL,
  fingerprint BLOB NOT NULL
) STRICT;
CREATE INDEX build_by_project ON build (project);
CREATE INDEX build_by_image ON build (project, image);
CREATE INDEX build_by_parent ON build (project, image, parent);
CREATE INDEX build_by_hash ON build (project, image, parent, hash);

CREATE TABLE build_reason (
  build_id INTEGER NOT NULL REFERENCES build (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (build_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE build_context (
  build_id INTEGER NOT NULL REFERENCES build (id) ON DELETE CASCADE,
  hash TEXT NOT NULL,
  PRIMARY KEY (build_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE parent_facts (
  parent TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stage (
  id INTEGER PRIMARY KEY,
  parent TEXT NOT NULL,
  key TEXT NOT NULL,
  stamp TEXT NOT NULL,
  manifest BLOB NOT NULL,
  UNIQUE (parent, key)
) STRICT;

CREATE TABLE stack (
  id INTEGER PRIMARY KEY,
  parent TEXT NOT NULL,
  project TEXT NOT NULL,
  inputs TEXT NOT NULL,
  model TEXT NOT NULL,
  UNIQUE (parent, project)
) STRICT;

CREATE TABLE registration (
  host_id TEXT PRIMARY KEY,
  parent TEXT NOT NULL,
  lab TEXT NOT NULL,
  project TEXT NOT NULL,
  compose_project TEXT NOT NULL,
  service TEXT NOT NULL,
  replica INTEGER NOT NULL,
  container_id TEXT NOT NULL,
  image TEXT NOT NULL,
  state TEXT NOT NULL,
  last_seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_stack ON registration (parent, project);
)sql";

constexpr const char* kVersion2 = R"sql(
CREATE TABLE container (
  id TEXT PRIMARY KEY,
  parent TEXT NOT NULL,
  compose_project TEXT NOT NULL,
  service TEXT NOT NULL,
  number INTEGER NOT NULL,
  image_id TEXT NOT NULL,
  image TEXT NOT NULL,
  service_digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX container_by_stack ON container (parent, compose_project);
)sql";

constexpr const char* kVersion3 = R"sql(
CREATE TABLE ssh_answer (
  sequence INTEGER PRIMARY KEY,
  question TEXT NOT NULL UNIQUE,
  answer TEXT NOT NULL
) STRICT;
)sql";

// What is known of containers is asked anew, because it lacks the account.
constexpr const char* kVersion4 = R"sql(
DELETE FROM container;
ALTER TABLE container ADD COLUMN account TEXT NOT NULL DEFAULT '';
)sql";

// Services: what was done to them and why, and what their definitions are made of.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE service_definition (
  sequence INTEGER PRIMARY KEY,
  project TEXT NOT NULL,
  service TEXT NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (project, service, digest)
) STRICT;

CREATE TABLE service_action (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  project TEXT NOT NULL,
  parent TEXT NOT NULL,
  service TEXT NOT NULL,
  host_id TEXT NOT NULL,
  action TEXT NOT NULL,
  image TEXT NOT NULL
) STRICT;
CREATE INDEX service_action_by_project ON service_action (project);
CREATE INDEX service_action_by_service ON service_action (project, service, parent);

CREATE TABLE service_reason (
  action_id INTEGER NOT NULL REFERENCES service_action (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (action_id, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE registration ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE registration ADD COLUMN reason TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::array<Migration, 5> kMigrations = {
    {{1, kVersion1}, {2, kVersion2}, {3, kVersion3}, {4, kVersion4}, {5, kVersion5}}};

/// One step, unless another process took it meanwhile.
Result<void> take_step(sqlite::Connection& connection, const Migration& step) {
  OTTO_TRY(const std::int64_t version, connection.integer("PRAGMA user_version"));
  if (version >= step.version) return {};
  OTTO_RETURN_IF_ERROR(connection.execute(step.sql));
  return connection.execute(fmt::format("PRAGMA user_version={}", step.version));
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

std::int64_t schema_version() { return kMigrations.back().version; }

Result<void> migrate(sqlite::Connection& connection, std::span<const Migration> steps) {
  for (const Migration& step : steps) {
    OTTO_RETURN_IF_ERROR(connection.execute("BEGIN IMMEDIATE"));
    Result<void> taken = take_step(connection, step);
    if (taken.ok()) taken = connection.execute("COMMIT");
    if (!taken.ok()) {
      if (connection.in_transaction()) (void)connection.execute("ROLLBACK");
      return std::move(taken).error().in(fmt::format("while bringing the memo to version {}", step.version));
    }
  }
  return {};
}

}  // namespace otto::cache
