// Times for scripts (RFC 3339, UTC) and for people ("3 minutes ago"). Pure: now is an argument.
#pragma once

#include <cstdint>
#include <string>

namespace otto::cli {

/// "2026-11-22T15:04:05Z" of milliseconds since the epoch.
std::string rfc3339(std::int64_t epoch_ms);

/// "just now", "3 minutes ago", "2 days ago"; a time in the future is "just now".
std::string ago(std::int64_t epoch_ms, std::int64_t now_ms);

}  // namespace otto::cli
