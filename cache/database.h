// One connection to the memo: made, migrated, checked, and replaced when it turns out to be damaged.
//
// The memo is always disposable: a database that SQLite calls corrupt, or that a newer otto wrote, is set aside under
// another name and an empty one takes its place, with a warning; the command goes on. Where it lives and what it holds:
// docs/database.md. Must not know what the stores keep in it. Move-only; owned and used by one thread at a time. The
// stores borrow it, so it outlives them and stays where it is. SQLite stays behind the pimpl: engine sees no sqlite3.h.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "graph/digest.h"

namespace otto::cache {

namespace sqlite {
class Connection;
}

enum class OpenMode {
  kReadWrite,  ///< made where absent: the folder 0700, the file 0600; migrated to this otto's version
  kReadOnly,   ///< never made, migrated or set aside
};

class Database {
 public:
  /// What was set aside is told in `warnings`. kDatabase: no folder or file can be made or written there, the disk is
  /// full, another otto held it for 5 s; with kReadOnly also: absent, damaged, of another version.
  static Result<Database> open(const std::filesystem::path& file, OpenMode mode, std::vector<std::string>& warnings);
  /// nullopt where there is none yet, or one of an older version that the next writing command will migrate.
  static Result<std::optional<Database>> open_existing_read_only(const std::filesystem::path& file);
  /// A memo of this process alone, which is gone with it: for tests. `snapshot`: what snapshot() gave; empty: nothing
  /// is remembered yet. kDatabase.
  static Result<Database> in_memory(std::string_view snapshot = {});
  /// Nothing is remembered any more. kDatabase.
  Result<void> forget_everything();
  /// All that is remembered, in one piece. kDatabase.
  [[nodiscard]] Result<std::string> snapshot();
  /// $OTTO_STATE_DIR/memo.db, else ${XDG_STATE_HOME:-~/.local/state}/otto/memo.db.
  static std::filesystem::path default_path();

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  [[nodiscard]] const std::filesystem::path& path() const;
  /// The secret of the change digests: random, made with the database, never exported. Stays the same for the life of
  /// this object even if the database has to be replaced meanwhile.
  [[nodiscard]] const graph::ChangeKey& change_key() const;
  /// Warnings about what happened after open() (a database found damaged and replaced), each given once.
  std::vector<std::string> take_warnings();

  /// Runs `work` in one transaction: committed if it succeeds, else rolled back with its error. May be nested; an inner
  /// failure undoes the inner part only. `work` runs again from its start, on an empty memo, if the database turns out
  /// to be damaged meanwhile.
  Result<void> in_transaction(const std::function<Result<void>()>& work);

  /// For the stores: runs `read`, and again if the database had to be replaced because of it (twice at most).
  template <typename Read>
  auto guarded(Read read) -> decltype(read()) {
    auto result = read();
    while (!result.ok() && replace_if_damaged()) result = read();
    return result;
  }
  /// For the stores: valid until the next guarded() or in_transaction().
  sqlite::Connection& connection();

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  bool replace_if_damaged();
  Result<void> attempt(const std::function<Result<void>()>& work);
  std::unique_ptr<State> state_;
};

}  // namespace otto::cache
