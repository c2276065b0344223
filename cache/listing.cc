#include "cache/listing.h"

#include <optional>
#include <utility>

#include "cache/database.h"
#include "cache/registration_rows.h"
#include "cache/sqlite.h"

namespace otto::cache {

namespace {

Result<std::vector<KnownImage>> read_images(sqlite::Connection& connection) {
  OTTO_TRY(sqlite::Query query, connection.query("SELECT DISTINCT project, image FROM build ORDER BY project, image"));
  std::vector<KnownImage> images;
  while (true) {
    OTTO_TRY(const bool row, query.next());
    if (!row) return images;
    images.push_back({query.text(0), query.text(1)});
  }
}

}  // namespace

Result<Listing> read_listing(const std::filesystem::path& memo) {
  OTTO_TRY(std::optional<Database> database, Database::open_existing_read_only(memo));
  Listing listing;
  if (!database) return listing;
  OTTO_TRY(listing.registrations, read_registrations(database->connection()));
  OTTO_TRY(listing.images, read_images(database->connection()));
  return listing;
}

}  // namespace otto::cache
