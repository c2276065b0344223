#include "cache/registration_store.h"

#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

class Registrations : public MemoTest {
 protected:
  [[nodiscard]] std::string ids() {
    std::string text;
    const auto all = registrations.all();
    for (const Registration& registration : *all) text += registration.host_id + " ";
    return text;
  }
  Database database = open();
  RegistrationStore registrations{database};
};

TEST_F(Registrations, ComeBackAsTheyWere) {
  const Registration api = a_registration();
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {api}).ok());
  const auto found = registrations.find("pepper_seed.repo1.api");
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ(**found, api);
  EXPECT_FALSE(registrations.find("pepper_seed.repo1.db")->has_value());
  EXPECT_EQ(*registrations.all(), std::vector<Registration>{api});
}

TEST_F(Registrations, ReplacingTouchesOneStackOnly) {
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {a_registration("web"), a_registration("api")}).ok());
  ASSERT_TRUE(registrations.replace("salt", "repo1", {a_registration("api", "salt")}).ok());
  EXPECT_EQ(ids(), "pepper_seed.repo1.api pepper_seed.repo1.web salt.repo1.api ");
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {a_registration("db")}).ok());
  EXPECT_EQ(ids(), "pepper_seed.repo1.db salt.repo1.api ");
  ASSERT_TRUE(registrations.remove("pepper_seed", "repo1").ok());
  EXPECT_EQ(ids(), "salt.repo1.api ");
  ASSERT_TRUE(registrations.replace("salt", "repo1", {}).ok());
  EXPECT_EQ(ids(), "");
}

TEST_F(Registrations, WhatIsAsItWasAMinuteAgoIsNotWrittenAgain) {
  Registration api = a_registration("api"), web = a_registration("web");
  const auto seen_after = [&](std::int64_t milliseconds) {
    Registration later = api, other = web;
    later.last_seen_ms += milliseconds;
    other.last_seen_ms += milliseconds;
    EXPECT_TRUE(registrations.replace("pepper_seed", "repo1", {other, later}).ok());
    return (*registrations.find(api.host_id))->last_seen_ms - api.last_seen_ms;
  };
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {api, web}).ok());
  EXPECT_EQ(seen_after(59'999), 0);
  EXPECT_EQ(seen_after(60'000), 60'000);
  EXPECT_EQ(seen_after(-1), -1) << "the clock went backwards";
  web.container_id = "another";
  EXPECT_EQ(seen_after(10), 10);
  EXPECT_EQ((*registrations.find(web.host_id))->container_id, "another");
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {api}).ok());
  EXPECT_EQ(ids(), api.host_id + " ");
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {}).ok());
  EXPECT_EQ(ids(), "");
}

TEST_F(Registrations, TheArgumentsOverruleTheFields) {
  Registration odd = a_registration();
  odd.parent = "elsewhere";
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {odd}).ok());
  EXPECT_EQ((*registrations.find(odd.host_id))->parent, "pepper_seed");
  ASSERT_TRUE(registrations.remove("pepper_seed", "repo1").ok());
  EXPECT_EQ(ids(), "");
}

TEST_F(Registrations, AFailedReplacementLeavesTheOldOnes) {
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {a_registration("api")}).ok());
  raw(file,
      "CREATE TRIGGER no BEFORE INSERT ON registration WHEN new.service = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_FALSE(registrations.replace("pepper_seed", "repo1", {a_registration("db"), a_registration("bad")}).ok());
  EXPECT_EQ(ids(), "pepper_seed.repo1.api ");
}

TEST_F(Registrations, AGoneContainerKeepsItsPlace) {
  ASSERT_TRUE(registrations.replace("pepper_seed", "repo1", {a_registration("api"), a_registration("db")}).ok());
  ASSERT_TRUE(registrations.mark_gone("pepper_seed.repo1.api", 99).ok());
  ASSERT_TRUE(registrations.mark_gone("nobody.knows.it", 99).ok());
  Registration expected = a_registration("api");
  expected.container_id = "";
  expected.state = "gone";
  expected.last_seen_ms = 99;
  EXPECT_EQ(**registrations.find("pepper_seed.repo1.api"), expected);
  EXPECT_EQ(**registrations.find("pepper_seed.repo1.db"), a_registration("db"));
  EXPECT_EQ(registrations.all()->size(), 2u);
}

}  // namespace
}  // namespace otto::cache
