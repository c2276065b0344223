#include "cache/listing.h"

#include <optional>
#include <utility>

#include "cache/database.h"
#include "cache/registration_rows.h"
#include "cache/sqlite.h"

namespace otto::cache {

namespace {

template <typename Known>
Result<std::vector<Known>> read_known(sqlite::Connection& connection, std::string_view sql) {
  OTTO_TRY(sqlite::Query query, connection.query(sql));
  std::vector<Known> all;
  while (true) {
    OTTO_TRY(const bool row, query.next());
    if (!row) return all;
    all.push_back({query.text(0), query.text(1)});
  }
}

}  // namespace

Result<Listing> read_listing(const std::filesystem::path& memo) {
  OTTO_TRY(std::optional<Database> database, Database::open_existing_read_only(memo));
  Listing listing;
  if (!database) return listing;
  OTTO_TRY(listing.registrations, read_registrations(database->connection()));
  sqlite::Connection& connection = database->connection();
  OTTO_TRY(listing.images,
           read_known<KnownImage>(connection, "SELECT DISTINCT project, image FROM build ORDER BY project, image"));
  OTTO_TRY(listing.services,
           read_known<KnownService>(connection,
                                    "SELECT DISTINCT project, service FROM service_action ORDER BY project, service"));
  return listing;
}

}  // namespace otto::cache
