#include "cache/reason_rows.h"

#include <string_view>

namespace otto::cache {

Result<std::vector<graph::Reason>> read_reasons(sqlite::Connection& connection, ReasonTable table, std::int64_t owner) {
  constexpr std::string_view kOfBuild =
      "SELECT kind, subject, detail FROM build_reason WHERE build_id = ?1 ORDER BY position";
  constexpr std::string_view kOfService =
      "SELECT kind, subject, detail FROM service_reason WHERE action_id = ?1 ORDER BY position";
  OTTO_TRY(sqlite::Query query, connection.query(table == ReasonTable::kBuild ? kOfBuild : kOfService, owner));
  std::vector<graph::Reason> reasons;
  while (true) {
    OTTO_TRY(const bool row, query.next());
    if (!row) return reasons;
    if (const auto kind = graph::reason_from_name(query.bytes(0))) {
      reasons.push_back({*kind, query.text(1), query.text(2)});
    }
  }
}

Result<void> insert_reasons(sqlite::Connection& connection, ReasonTable table, std::int64_t owner,
                            std::span<const graph::Reason> reasons) {
  constexpr std::string_view kOfBuild =
      "INSERT INTO build_reason (build_id, position, kind, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
  constexpr std::string_view kOfService =
      "INSERT INTO service_reason (action_id, position, kind, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
  std::int64_t position = 0;
  for (const graph::Reason& reason : reasons) {
    OTTO_RETURN_IF_ERROR(connection.run(table == ReasonTable::kBuild ? kOfBuild : kOfService, owner, position++,
                                        graph::reason_name(reason.kind), reason.subject, reason.detail));
  }
  return {};
}

}  // namespace otto::cache
