// The memo's tables, as numbered migrations.
//
// The version is SQLite's user_version; each migration runs in one transaction together with its number, so a killed
// otto leaves a whole version behind. For the .cc files of this folder. A migration that was released is never edited.
#pragma once

#include <cstdint>
#include <span>

#include "cache/sqlite.h"
#include "graph/base/result.h"

namespace otto::cache {

struct Migration {
  std::int64_t version;  ///< the user_version it leads to; 1, 2, 3, …
  const char* sql;
};

/// Every migration there is, oldest first.
std::span<const Migration> migrations();
/// The version this otto reads and writes.
std::int64_t schema_version();

/// Brings the database from whatever version it has to the last of `steps`. Several processes may do so at once.
Result<void> migrate(sqlite::Connection& connection, std::span<const Migration> steps);

}  // namespace otto::cache
