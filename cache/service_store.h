// The record of what was done to services, and why; and what their definitions are made of.
//
// Actions are append-only; the parent, not this record, says what runs. Definitions lie under their digests; those that
// were put there longest ago go first. Borrows the Database; same thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "cache/database.h"
#include "cache/records.h"

namespace otto::cache {

class ServiceStore {
 public:
  explicit ServiceStore(Database& database) : database_(&database) {}

  /// Stores the actions with their reasons in one transaction; their ids are not read.
  Result<void> record(std::span<const ServiceRecord> actions);
  /// The newest action on that service of a project, on that parent.
  Result<std::optional<ServiceRecord>> last(std::string_view project, std::string_view service,
                                            std::string_view parent);
  /// The newest action on each service of a project on that parent, sorted by service.
  Result<std::vector<ServiceRecord>> latest(std::string_view project, std::string_view parent);
  /// Newest first, at most `limit`; of one service, or of all the project's.
  Result<std::vector<ServiceRecord>> history(std::string_view project, std::optional<std::string_view> service,
                                             std::size_t limit);

  /// They become the newest ones; of all, the newest `most` are kept.
  Result<void> put_definitions(std::span<const StoredDefinition> definitions, std::size_t most = 2000);
  Result<std::optional<StoredDefinition>> definition(std::string_view project, std::string_view service,
                                                     std::string_view digest);

 private:
  Database* database_;
};

}  // namespace otto::cache
