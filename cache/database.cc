#include "cache/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cache/schema.h"
#include "cache/sqlite.h"
#include "cache/state_file.h"
#include "graph/base/account.h"

namespace otto::cache {

namespace fs = std::filesystem;
using sqlite::Connection;
using ConnectionPtr = std::unique_ptr<Connection>;

struct Database::State {
  fs::path file;
  OpenMode mode = OpenMode::kReadWrite;
  ConnectionPtr connection;
  graph::ChangeKey key;
  std::vector<std::string> warnings;
  int depth = 0;         ///< of nested in_transaction() calls
  int replacements = 0;  ///< how often damage made us open anew
};

namespace {

/// A database that fails again after it was checked is replaced unchecked, once; then its errors stand.
constexpr int kMaxReplacements = 2;

enum class Doubt {
  kNone,       ///< open it as it is
  kSuspected,  ///< a statement failed: check it all
  kCondemned,  ///< it failed again after a check found nothing
};

/// What keeps a database from being used as it is.
struct Finding {
  std::string why;      ///< of the name it is set aside under; empty: nothing
  std::string warning;  ///< what the user is told
};

Finding damaged(std::string_view what) { return {"corrupt", fmt::format("was damaged ({})", what)}; }

Result<Finding> inspect(Connection& connection, Doubt doubt) {
  if (doubt == Doubt::kCondemned) return damaged("it failed again after a check");
  OTTO_TRY(const std::int64_t version, connection.integer("PRAGMA user_version"));
  if (version < 0) return damaged(fmt::format("its version is {}", version));
  if (version > schema_version()) {
    return Finding{
        fmt::format("newer-{}", version),
        fmt::format("is of version {}, made by a newer otto (this one knows {})", version, schema_version())};
  }
  OTTO_TRY(const std::int64_t objects, connection.integer("SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && objects != 0) return damaged("it is some other database");
  if (doubt == Doubt::kNone) return Finding{};
  OTTO_TRY(sqlite::Query check, connection.query("PRAGMA quick_check(1)"));
  OTTO_TRY(const bool row, check.next());
  const std::string said = row ? check.text(0) : "no answer";
  return said == "ok" ? Finding{} : damaged(said);
}

/// inspect(), with damage that shows as an error taken as a finding.
Result<Finding> examine(Connection& connection, Doubt doubt) {
  Result<Finding> finding = inspect(connection, doubt);
  if (!finding.ok() && connection.suspect()) return damaged(finding.error().message);
  return finding;
}

Result<ConnectionPtr> open_writable(const fs::path& file) {
  OTTO_RETURN_IF_ERROR(ensure_private_file(file));
  return Connection::open(file, sqlite::Access::kReadWrite);
}

/// With a write-ahead log, NORMAL may lose the last transactions in a power cut but never the database: right for a
/// memo.
Result<void> tune(Connection& connection) {
  return connection.execute("PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216; PRAGMA cell_size_check=ON");
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// The usual case: there, whole as far as one can see, of our version. nullptr: not so. The folder is shared meanwhile:
/// SQLite finds a log by its name, and must not take that of a memo which has just replaced the one it opened.
ConnectionPtr open_ready(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return nullptr;
  const auto lock = FolderLock::share(folder_of(file));
  if (!lock) return nullptr;
  Result<ConnectionPtr> connection = open_writable(file);
  if (!connection.ok()) return nullptr;
  const Result<std::int64_t> version = (*connection)->integer("PRAGMA user_version");
  if (!version.ok() || *version != schema_version()) return nullptr;
  const Result<Finding> finding = examine(**connection, Doubt::kNone);
  const bool usable = finding.ok() && finding->why.empty() && tune(**connection).ok();
  return usable ? std::move(*connection) : nullptr;
}

/// Makes, migrates, or sets aside and makes anew. Under the folder's lock, so that no other otto does so too.
Result<ConnectionPtr> open_slowly(const fs::path& file, Doubt doubt, std::vector<std::string>& warnings) {
  const fs::path folder = folder_of(file);
  OTTO_RETURN_IF_ERROR(ensure_folder(folder));
  OTTO_TRY(const FolderLock lock, FolderLock::take(folder));
  Result<ConnectionPtr> connection = open_writable(file);
  if (!connection.ok()) return connection;
  OTTO_TRY(const Finding finding, examine(**connection, doubt));
  if (!finding.why.empty()) {
    connection->reset();
    OTTO_TRY(const fs::path aside, set_aside(file, finding.why));
    warnings.push_back(fmt::format("the memo {} {}; it was set aside as {} and a new one was made", file.string(),
                                   finding.warning, aside.filename().string()));
    connection = open_writable(file);
    if (!connection.ok()) return connection;
  }
  OTTO_RETURN_IF_ERROR((*connection)->execute("PRAGMA journal_mode=WAL"));
  OTTO_RETURN_IF_ERROR(migrate(**connection, migrations()));
  OTTO_RETURN_IF_ERROR(tune(**connection));
  return connection;
}

Result<std::optional<graph::ChangeKey>> read_key(Connection& connection) {
  OTTO_TRY(sqlite::Query query, connection.query("SELECT value FROM meta WHERE name = 'change_key'"));
  OTTO_TRY(const bool row, query.next());
  graph::ChangeKey key;
  if (!row || query.bytes(0).size() != key.bytes.size()) return std::optional<graph::ChangeKey>();
  const std::string_view bytes = query.bytes(0);
  std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
  return std::optional(key);
}

/// The key in the database; `wanted` goes in where there is none. Of several processes the first one's stays.
Result<graph::ChangeKey> ensure_key(Connection& connection, const graph::ChangeKey& wanted) {
  OTTO_TRY(const std::optional<graph::ChangeKey> present, read_key(connection));
  if (present) return *present;
  const std::string_view bytes(reinterpret_cast<const char*>(wanted.bytes.data()), wanted.bytes.size());
  OTTO_RETURN_IF_ERROR(
      connection.run("INSERT INTO meta (name, value) VALUES ('change_key', ?1) ON CONFLICT (name) DO UPDATE SET value "
                     "= excluded.value "
                     "WHERE length(value) <> length(excluded.value)",
                     sqlite::Blob{bytes}));
  OTTO_TRY(const std::optional<graph::ChangeKey> stored, read_key(connection));
  OTTO_CHECK(stored.has_value());
  return *stored;
}

/// Read-only, also where the folder cannot be written and nobody is writing.
Result<ConnectionPtr> open_readable(const fs::path& file) {
  Result<ConnectionPtr> connection = Connection::open(file, sqlite::Access::kReadOnly);
  if (!connection.ok() || (*connection)->integer("PRAGMA user_version").ok()) return connection;
  if ((*connection)->suspect()) return connection;
  fs::path log = file;
  log += "-wal";
  std::error_code ignored;
  if (fs::exists(log, ignored)) return connection;
  return Connection::open(file, sqlite::Access::kImmutable);
}

}  // namespace

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const fs::path& file, OpenMode mode, std::vector<std::string>& warnings) {
  if (mode == OpenMode::kReadOnly) {
    OTTO_TRY(std::optional<Database> found, open_existing_read_only(file));
    if (found) return std::move(*found);
    return make_error(ErrorCode::kDatabase, fmt::format("there is no memo of this version at {}", file.string()),
                      "run any otto command that writes it, such as `otto docker up`");
  }
  auto state = std::make_unique<State>();
  state->file = file;
  state->connection = open_ready(file);
  if (state->connection == nullptr) {
    OTTO_TRY(state->connection, open_slowly(file, Doubt::kNone, warnings));
  }
  state->key = graph::ChangeKey::random();
  Database database(std::move(state));
  State& opened = *database.state_;
  OTTO_TRY(opened.key, database.guarded([&] { return ensure_key(*opened.connection, opened.key); }));
  for (std::string& warning : database.take_warnings()) warnings.push_back(std::move(warning));
  return database;
}

Result<std::optional<Database>> Database::open_existing_read_only(const fs::path& file) {
  std::error_code failure;
  if (!fs::exists(file, failure) && !failure) return std::optional<Database>();
  auto state = std::make_unique<State>();
  state->file = file;
  state->mode = OpenMode::kReadOnly;
  OTTO_TRY(state->connection, open_readable(file));
  OTTO_TRY(const std::int64_t version, state->connection->integer("PRAGMA user_version"));
  if (version < schema_version()) return std::optional<Database>();
  if (version > schema_version()) {
    return make_error(
        ErrorCode::kDatabase,
        fmt::format("the memo {} is of version {}, this otto knows {}", file.string(), version, schema_version()),
        "use the newer otto that made it, or set OTTO_STATE_DIR to another folder");
  }
  OTTO_TRY(const std::optional<graph::ChangeKey> key, read_key(*state->connection));
  if (key) state->key = *key;
  return std::optional(Database(std::move(state)));
}

Result<Database> Database::in_memory(std::string_view snapshot) {
  auto state = std::make_unique<State>();
  state->file = ":memory:";
  OTTO_TRY(state->connection, Connection::open(state->file, sqlite::Access::kReadWrite));
  if (snapshot.empty()) {
    OTTO_RETURN_IF_ERROR(migrate(*state->connection, migrations()));
  } else {
    OTTO_RETURN_IF_ERROR(state->connection->deserialize(snapshot));
  }
  OTTO_TRY(state->key, ensure_key(*state->connection, graph::ChangeKey::random()));
  return Database(std::move(state));
}

Result<void> Database::forget_everything() {
  return in_transaction([&]() -> Result<void> {
    std::vector<std::string> tables;
    OTTO_TRY(
        sqlite::Query query,
        state_->connection->query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('meta') AND "
                                  "name NOT LIKE 'sqlite_%'"));
    for (;;) {
      OTTO_TRY(const bool row, query.next());
      if (!row) break;
      tables.push_back(query.text(0));
    }
    for (const std::string& table : tables) OTTO_RETURN_IF_ERROR(state_->connection->run("DELETE FROM " + table));
    return {};
  });
}

Result<std::string> Database::snapshot() { return state_->connection->serialize(); }

fs::path Database::default_path() {
  const auto set = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const std::string folder = set("OTTO_STATE_DIR"); !folder.empty()) return fs::path(folder) / "memo.db";
  // The XDG base directory specification: a relative path there is invalid and ignored.
  const fs::path state = set("XDG_STATE_HOME");
  return (state.is_absolute() ? state : fs::path(home_directory()) / ".local/state") / "otto" / "memo.db";
}

const fs::path& Database::path() const { return state_->file; }
const graph::ChangeKey& Database::change_key() const { return state_->key; }
Connection& Database::connection() { return *state_->connection; }

std::vector<std::string> Database::take_warnings() { return std::exchange(state_->warnings, {}); }

bool Database::replace_if_damaged() {
  State& state = *state_;
  if (!state.connection->suspect() || state.depth != 0 || state.mode == OpenMode::kReadOnly) return false;
  if (state.replacements == kMaxReplacements) return false;
  const Doubt doubt = state.replacements++ == 0 ? Doubt::kSuspected : Doubt::kCondemned;
  Result<ConnectionPtr> fresh = open_slowly(state.file, doubt, state.warnings);
  if (!fresh.ok() || !ensure_key(**fresh, state.key).ok()) return false;
  state.connection = std::move(*fresh);
  return true;
}

Result<void> Database::attempt(const std::function<Result<void>()>& work) {
  State& state = *state_;
  Connection& connection = *state.connection;
  const bool outermost = state.depth == 0;
  OTTO_RETURN_IF_ERROR(connection.run(outermost ? "BEGIN IMMEDIATE" : "SAVEPOINT inner"));
  ++state.depth;
  Result<void> done = work();
  --state.depth;
  if (done.ok()) done = connection.run(outermost ? "COMMIT" : "RELEASE inner");
  if (!done.ok() && connection.in_transaction()) {
    (void)connection.execute(outermost ? "ROLLBACK" : "ROLLBACK TO inner; RELEASE inner");
  }
  return done;
}

Result<void> Database::in_transaction(const std::function<Result<void>()>& work) {
  return guarded([&] { return attempt(work); });
}

}  // namespace otto::cache
