// Containers as hosts: which host id stands for which container, as last seen.
//
// Written after every `up`, `down` and `ps`; read for host lookups here, for offline listing and completion in
// listing.h. Borrows the Database; same thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cache/database.h"
#include "cache/records.h"

namespace otto::cache {

class RegistrationStore {
 public:
  explicit RegistrationStore(Database& database) : database_(&database) {}

  /// What was registered for `project` (a repo's name) on `parent` becomes exactly `registrations`, in one
  /// transaction; their own `parent` and `project` fields are overruled by the arguments. Where they differ only by
  /// having been seen less than a minute later, nothing is written: a write waits for the disk four times.
  Result<void> replace(std::string_view parent, std::string_view project,
                       const std::vector<Registration>& registrations);
  /// The stack is down: none of its containers is registered any more.
  Result<void> remove(std::string_view parent, std::string_view project);
  /// The container behind one host id turned out to be gone: its id is cleared and its state becomes "gone"; the rest
  /// stays for listing. Nothing happens for an unknown id.
  Result<void> mark_gone(std::string_view host_id, std::int64_t seen_ms);

  Result<std::optional<Registration>> find(std::string_view host_id);
  /// Sorted by host id.
  Result<std::vector<Registration>> all();

 private:
  Database* database_;
};

}  // namespace otto::cache
