// What ssh said of hosts (`ssh -G`), by the digest of all that its answer follows from.
//
// Texts are opaque. An answer is never wrong, only no longer asked for, so the oldest go when there are too many.
// Borrows the Database; same thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/database.h"

namespace otto::cache {

class SshAnswerStore {
 public:
  static constexpr std::int64_t kMost = 4096;  ///< some 2 MB

  explicit SshAnswerStore(Database& database) : database_(&database) {}

  Result<std::optional<std::string>> find(std::string_view question);
  /// Keeps it as the newest, and of the others the kMost - 1 newest.
  Result<void> put(std::string_view question, std::string_view answer);

 private:
  Database* database_;
};

}  // namespace otto::cache
