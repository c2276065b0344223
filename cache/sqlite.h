// SQLite as values and RAII: a connection, its prepared statements beside it, and one use of a statement as a Query.
//
// For the .cc files of this folder only: it is what keeps sqlite3.h out of the stores. Every failure becomes a
// kDatabase Error naming the file and the remedy; a code that smells of damage (CORRUPT, NOTADB, a statement of ours
// that does not compile against the schema) is also remembered, so that the Database can decide what to do. One thread
// at a time. Statements are prepared once per text and reused: the stores can spell their SQL where they use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "graph/base/large_vector.h"
#include "graph/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace otto::cache::sqlite {

/// Bytes to bind as a blob, not copied: they must outlive the Query.
struct Blob {
  std::string_view bytes;
};

struct Prepared {
  sqlite3_stmt* statement = nullptr;
  bool in_use = false;
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared();
};

class Connection;

/// One run of a prepared statement; resets it when it goes. The statement's text may not be in use twice at once.
class Query {
 public:
  Query(Query&& other) noexcept : connection_(other.connection_), prepared_(std::exchange(other.prepared_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  /// True: there is a row to read.
  Result<bool> next();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }
  /// A text's or blob's bytes; valid until next() or the end of the Query.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  friend class Connection;
  Query(Connection& connection, Prepared& prepared) : connection_(&connection), prepared_(&prepared) {}
  int bind(int index, std::int64_t value);
  int bind(int index, std::string_view value);
  int bind(int index, Blob value);
  template <typename T>
  int bind_value(int index, const T& value) {
    if constexpr (std::is_same_v<T, Blob>) {
      return bind(index, value);
    } else if constexpr (std::is_integral_v<T>) {
      return bind(index, static_cast<std::int64_t>(value));
    } else {
      return bind(index, std::string_view(value));
    }
  }
  Connection* connection_;
  Prepared* prepared_;
};

enum class Access {
  kReadWrite,  ///< the file exists, perhaps empty
  kReadOnly,
  kImmutable,  ///< read-only where not even the -shm file can be made; only right while nobody writes
};

class Connection {
 public:
  /// Reads nothing of the file yet: damage shows at the first statement.
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Access access);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Prepares (or reuses) `sql` and binds `values` to ?1, ?2, …: integers, texts (copied), Blobs.
  template <typename... Values>
  Result<Query> query(std::string_view sql, const Values&... values) {
    OTTO_TRY(Prepared * prepared, prepare(sql));
    Query query(*this, *prepared);
    int index = 0;
    int code = 0;
    ((code = code == 0 ? query.bind_value(++index, values) : code), ...);
    if (code != 0) return error(code);
    return query;
  }
  /// The same, stepped to its end; rows are dropped.
  template <typename... Values>
  Result<void> run(std::string_view sql, const Values&... values) {
    OTTO_TRY(Query query, this->query(sql, values...));
    return finish(query);
  }
  /// The whole of a blob of the row with that rowid, read into place; `row` must be there (same transaction).
  Result<std::pair<LargeBytes, std::size_t>> blob(const char* table, const char* column, std::int64_t row);
  /// Several statements without values, in order.
  Result<void> execute(const std::string& sql);
  /// The whole database in one piece, and back; the latter for one in memory.
  Result<std::string> serialize();
  Result<void> deserialize(std::string_view image);
  /// The first column of the first row of `sql`; 0 where there is none.
  Result<std::int64_t> integer(std::string_view sql);

  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] bool in_transaction() const;
  /// A failure so far may mean that the file is damaged.
  [[nodiscard]] bool suspect() const { return suspect_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Rows that statements so far stepped over or sorted for want of an index: what tests hold against the schema.
  [[nodiscard]] std::int64_t unindexed_steps() const;
  /// The Error for SQLite's `code`, which just happened on this connection.
  Error error(int code);

 private:
  friend class Query;
  explicit Connection(std::filesystem::path file) : path_(std::move(file)) {}
  Result<Prepared*> prepare(std::string_view sql);
  static Result<void> finish(Query& query);

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  bool suspect_ = false;
  std::map<std::string, Prepared, std::less<>> prepared_;
};

}  // namespace otto::cache::sqlite
