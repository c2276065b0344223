#include "cache/listing.h"

#include "cache/build_store.h"
#include "cache/registration_store.h"
#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

using ListingTest = MemoTest;

TEST_F(ListingTest, WithoutAMemoThereIsNothingAndNothingIsMade) {
  const auto listing = read_listing(file);
  ASSERT_TRUE(listing.ok());
  EXPECT_TRUE(listing->registrations.empty());
  EXPECT_TRUE(listing->images.empty());
  EXPECT_TRUE(std::filesystem::is_empty(root));
}

TEST_F(ListingTest, ListsContainersAndImagesAlsoWhileAnOttoWrites) {
  Database database = open();
  ASSERT_TRUE(
      RegistrationStore(database).replace("pepper_seed", "repo1", {a_registration("web"), a_registration("api")}).ok());
  BuildStore builds(database);
  for (const char* image : {"web", "api", "web"}) ASSERT_TRUE(builds.record(a_build(image)).ok());
  ASSERT_TRUE(builds.record(a_build("api", "salt")).ok());
  ASSERT_TRUE(database
                  .in_transaction([&]() -> Result<void> {
                    OTTO_RETURN_IF_ERROR(builds.record(a_build("unfinished")));
                    const auto listing = read_listing(file);
                    EXPECT_TRUE(listing.ok());
                    EXPECT_EQ(listing->registrations,
                              (std::vector<Registration>{a_registration("api"), a_registration("web")}));
                    EXPECT_EQ(listing->images, (std::vector<KnownImage>{{"repo1", "api"}, {"repo1", "web"}}));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(read_listing(file)->images.size(), 3u);
}

TEST_F(ListingTest, AnUnreadableMemoIsAnErrorAndStays) {
  write(file, std::string(5000, 'x'));
  const auto listing = read_listing(file);
  ASSERT_FALSE(listing.ok());
  EXPECT_EQ(listing.error().code, ErrorCode::kDatabase);
  EXPECT_EQ(content(file), std::string(5000, 'x'));
  write(file, "");
  EXPECT_TRUE(read_listing(file).ok());
}

}  // namespace
}  // namespace otto::cache
