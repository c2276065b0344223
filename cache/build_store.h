// The record of builds: what was built where, when, from which inputs, and why.
//
// Append-only; the parent, not this record, says what exists. A record whose fingerprint is damaged counts as absent.
// Borrows the Database; same thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cache/database.h"
#include "cache/records.h"

namespace otto::cache {

class BuildStore {
 public:
  explicit BuildStore(Database& database) : database_(&database) {}

  /// Stores the build with its reasons in one transaction and gives its id; `build.id` is not read.
  Result<std::int64_t> record(const BuildRecord& build);

  /// The newest record of that image on that parent.
  Result<std::optional<BuildRecord>> last_build(std::string_view project, std::string_view image,
                                                std::string_view parent);
  /// The newest record of that image on any parent.
  Result<std::optional<BuildRecord>> last_build_anywhere(std::string_view project, std::string_view image);
  /// The newest record with reasons: a build, and no image that was found there. On that parent, or on any.
  Result<std::optional<BuildRecord>> last_made(std::string_view project, std::string_view image,
                                               std::optional<std::string_view> parent);
  /// The newest record of exactly that hash (40 hex digits) on that parent.
  Result<std::optional<BuildRecord>> find(std::string_view project, std::string_view image, std::string_view parent,
                                          std::string_view hash);
  /// Newest first, at most `limit`; of one image, or of all the project's.
  Result<std::vector<BuildRecord>> history(std::string_view project, std::optional<std::string_view> image,
                                           std::size_t limit);

 private:
  Database* database_;
};

}  // namespace otto::cache
