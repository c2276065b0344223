// Registrations as rows: the one reading of them that the store and the listing share.
//
// For the .cc files of this folder. No state; the thread of the connection.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cache/records.h"
#include "cache/sqlite.h"
#include "graph/base/result.h"

namespace otto::cache {

/// All of them, sorted by host id, or the one of `host_id`.
Result<std::vector<Registration>> read_registrations(sqlite::Connection& connection,
                                                     std::optional<std::string_view> host_id = {});

}  // namespace otto::cache
