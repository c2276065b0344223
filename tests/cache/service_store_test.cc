#include "cache/service_store.h"

#include "cache/listing.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

using graph::ReasonKind;

class Services : public MemoTest {
 protected:
  static ServiceRecord action(const std::string& service, const std::string& what, const std::string& parent = "pepper",
                              const std::string& project = "repo1") {
    ServiceRecord record;
    record.at_ms = 7;
    record.project = project;
    record.parent = parent;
    record.service = service;
    record.host_id = parent + "." + project + "." + service;
    record.action = what;
    record.image = "repo1-" + service;
    return record;
  }
  static std::string told(const std::vector<ServiceRecord>& records) {
    std::string all;
    for (const ServiceRecord& record : records) all += record.service + " " + record.action + "\n";
    return all;
  }
};

TEST_F(Services, ActionsComeBackWithTheirReasonsNewestFirst) {
  Database database = open();
  ServiceStore store(database);
  std::vector<ServiceRecord> first = {action("api", "created"), action("db", "created")};
  first[0].reasons = {{ReasonKind::kMissing, "api", "not created yet"}, {ReasonKind::kStopped, "api", ""}};
  ASSERT_TRUE(store.record(first).ok());
  const std::vector<ServiceRecord> second = {action("api", "recreated"), action("api", "started", "carrot"),
                                             action("api", "created", "pepper", "repo2")};
  ASSERT_TRUE(store.record(second).ok());

  EXPECT_EQ(told(*store.history("repo1", std::nullopt, 10)), "api started\napi recreated\ndb created\napi created\n");
  EXPECT_EQ(told(*store.history("repo1", "api", 2)), "api started\napi recreated\n");
  const auto oldest = store.history("repo1", "api", static_cast<std::size_t>(-1))->back();
  EXPECT_EQ(oldest.reasons, first[0].reasons);
  EXPECT_EQ(oldest.host_id, "pepper.repo1.api");
  EXPECT_EQ(oldest.image, "repo1-api");
  EXPECT_EQ(oldest.at_ms, 7);
  EXPECT_EQ((*store.last("repo1", "api", "pepper"))->action, "recreated");
  EXPECT_EQ((*store.last("repo1", "db", "carrot")), std::nullopt);
  EXPECT_EQ(told(*store.latest("repo1", "pepper")), "api recreated\ndb created\n");
  EXPECT_EQ(read_listing(file)->services,
            (std::vector<KnownService>{{"repo1", "api"}, {"repo1", "db"}, {"repo2", "api"}}));
}

TEST_F(Services, DefinitionsLieUnderTheirDigestsAndTheOldestGo) {
  Database database = open();
  ServiceStore store(database);
  const std::vector<StoredDefinition> some = {{"p", "api", "a", "1"}, {"p", "api", "b", "2"}, {"p", "db", "a", "3"}};
  ASSERT_TRUE(store.put_definitions(some).ok());
  for (int again = 0; again < 5; ++again) {
    const std::vector<StoredDefinition> same = {{"p", "api", "a", "4"}};
    ASSERT_TRUE(store.put_definitions(same, 2).ok());
  }
  EXPECT_EQ((*store.definition("p", "api", "a"))->body, "4") << "the last explanation of a digest counts";
  EXPECT_EQ((*store.definition("p", "db", "a"))->body, "3")
      << "another service's, and one that is put again drives none out";
  EXPECT_EQ(*store.definition("p", "api", "b"), std::nullopt);
  EXPECT_EQ(*store.definition("other", "db", "a"), std::nullopt);
}

}  // namespace
}  // namespace otto::cache
