#include "cache/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>

#include "graph/base/text.h"

namespace otto::cache::sqlite {

namespace {

constexpr int kBusyTimeoutMs = 30'000;

/// `path` as SQLite's file: URI.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

bool smells_of_damage(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || code == SQLITE_IOERR_SHORT_READ;
}

std::string hint_for(int code, const std::filesystem::path& path) {
  const std::string folder = path.parent_path().string();
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "wait until the other otto is done, then try again";
    case SQLITE_FULL:
      return fmt::format("free some space in {}, or set OTTO_STATE_DIR to a folder that has some", folder);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return fmt::format("make {} writable, or set OTTO_STATE_DIR to a folder that is", folder);
    case SQLITE_IOERR:
      return fmt::format("check the disk that holds {}, or set OTTO_STATE_DIR to another folder", folder);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return fmt::format("delete {}: it is only a memo and is made again", path.string());
    default: return {};
  }
}

}  // namespace

Prepared::~Prepared() { sqlite3_finalize(statement); }

Query::~Query() {
  if (prepared_ == nullptr) return;
  sqlite3_reset(prepared_->statement);
  sqlite3_clear_bindings(prepared_->statement);
  prepared_->in_use = false;
}

Result<bool> Query::next() {
  const int code = sqlite3_step(prepared_->statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->error(sqlite3_extended_errcode(connection_->handle_));
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(prepared_->statement, column); }

std::string_view Query::bytes(int column) const {
  const void* data = sqlite3_column_blob(prepared_->statement, column);
  const int size = sqlite3_column_bytes(prepared_->statement, column);
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), std::size_t(size));
}

int Query::bind(int index, std::int64_t value) { return sqlite3_bind_int64(prepared_->statement, index, value); }

int Query::bind(int index, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  // SQLITE_TRANSIENT, spelt without its C cast.
  const auto copied = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
  return sqlite3_bind_text64(prepared_->statement, index, data, value.size(), copied, SQLITE_UTF8);
}

int Query::bind(int index, Blob value) {
  const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
  return sqlite3_bind_blob64(prepared_->statement, index, data, value.bytes.size(), SQLITE_STATIC);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Access access) {
  std::unique_ptr<Connection> connection(new Connection(file));
  const bool immutable = access == Access::kImmutable;
  const int mode = access == Access::kReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const std::string name = immutable ? immutable_uri(file) : file.string();
  const int flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (immutable ? SQLITE_OPEN_URI : 0);
  const int code = sqlite3_open_v2(name.c_str(), &connection->handle_, flags, nullptr);
  if (code != SQLITE_OK) return connection->error(code);
  sqlite3_busy_timeout(connection->handle_, kBusyTimeoutMs);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return connection;
}

Connection::~Connection() {
  prepared_.clear();
  sqlite3_close_v2(handle_);
}

Result<Prepared*> Connection::prepare(std::string_view sql) {
  auto found = prepared_.find(sql);
  if (found == prepared_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK) {
      suspect_ = suspect_ || code == SQLITE_ERROR;
      return error(code);
    }
    found = prepared_.try_emplace(std::string(sql)).first;
    found->second.statement = statement;
  }
  OTTO_CHECK(!found->second.in_use);
  found->second.in_use = true;
  return &found->second;
}

Result<void> Connection::finish(Query& query) {
  while (true) {
    OTTO_TRY(const bool row, query.next());
    if (!row) return {};
  }
}

Result<std::string> Connection::serialize() {
  sqlite3_int64 size = 0;
  unsigned char* const bytes = sqlite3_serialize(handle_, "main", &size, 0);
  if (bytes == nullptr) return error(SQLITE_NOMEM);
  std::string image(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return image;
}

Result<void> Connection::deserialize(std::string_view image) {
  auto* const bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
  if (bytes == nullptr) return error(SQLITE_NOMEM);
  std::memcpy(bytes, image.data(), image.size());
  const auto size = static_cast<sqlite3_int64>(image.size());
  const int code = sqlite3_deserialize(handle_, "main", bytes, size, size,
                                       SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
  return code == SQLITE_OK ? Result<void>() : error(code);
}

Result<void> Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  OTTO_TRY(Query query, this->query(sql));
  OTTO_TRY(const bool row, query.next());
  return row ? query.integer(0) : 0;
}

Result<std::pair<LargeBytes, std::size_t>> Connection::blob(const char* table, const char* column, std::int64_t row) {
  sqlite3_blob* opened = nullptr;
  int code = sqlite3_blob_open(handle_, "main", table, column, row, 0, &opened);
  const std::unique_ptr<sqlite3_blob, decltype(&sqlite3_blob_close)> closed(opened, &sqlite3_blob_close);
  if (code != SQLITE_OK) return error(code);
  const int size = sqlite3_blob_bytes(opened);
  LargeBytes bytes = large_bytes(static_cast<std::size_t>(size));
  code = sqlite3_blob_read(opened, bytes.get(), size, 0);
  if (code != SQLITE_OK) return error(code);
  return std::pair(std::move(bytes), static_cast<std::size_t>(size));
}

std::int64_t Connection::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::int64_t Connection::unindexed_steps() const {
  std::int64_t steps = 0;
  for (const auto& [sql, prepared] : prepared_) {
    for (const int counter : {SQLITE_STMTSTATUS_FULLSCAN_STEP, SQLITE_STMTSTATUS_SORT, SQLITE_STMTSTATUS_AUTOINDEX}) {
      steps += sqlite3_stmt_status(prepared.statement, counter, 0);
    }
  }
  return steps;
}

Error Connection::error(int code) {
  suspect_ = suspect_ || smells_of_damage(code);
  const std::string said = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  const int primary = code & 0xff;
  const bool held = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
  return make_error(ErrorCode::kDatabase,
                    held ? fmt::format("another otto holds the memo {}: {}", path_.string(), said)
                         : fmt::format("cannot use the memo {}: {}", path_.string(), said),
                    hint_for(code, path_));
}

}  // namespace otto::cache::sqlite
