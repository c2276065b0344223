// Reasons as rows: those of a build, and those of what was done to a service. Internal to cache/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/sqlite.h"
#include "graph/reasons.h"

namespace otto::cache {

enum class ReasonTable { kBuild, kService };

Result<std::vector<graph::Reason>> read_reasons(sqlite::Connection& connection, ReasonTable table, std::int64_t owner);
Result<void> insert_reasons(sqlite::Connection& connection, ReasonTable table, std::int64_t owner,
                            std::span<const graph::Reason> reasons);

}  // namespace otto::cache
