#include "cache/build_store.h"

#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

class Builds : public MemoTest {
 protected:
  Database database = open();
  BuildStore builds{database};
};

void expect_same(const BuildRecord& stored, const BuildRecord& given) {
  EXPECT_EQ(stored.at_ms, given.at_ms);
  EXPECT_EQ(stored.project, given.project);
  EXPECT_EQ(stored.image, given.image);
  EXPECT_EQ(stored.parent, given.parent);
  EXPECT_EQ(stored.hash, given.hash);
  EXPECT_EQ(stored.tag, given.tag);
  EXPECT_EQ(stored.image_id, given.image_id);
  EXPECT_EQ(stored.duration_ms, given.duration_ms);
  EXPECT_EQ(stored.uploaded_bytes, given.uploaded_bytes);
  EXPECT_EQ(stored.uploaded_files, given.uploaded_files);
  EXPECT_EQ(stored.reasons, given.reasons);
  EXPECT_EQ(stored.fingerprint.hash, given.fingerprint.hash);
  EXPECT_EQ(stored.fingerprint.components, given.fingerprint.components);
}

TEST_F(Builds, ComeBackAsTheyWere) {
  const BuildRecord build = a_build();
  const auto id = builds.record(build);
  ASSERT_TRUE(id.ok()) << id.error().message;
  const auto last = builds.last_build("repo1", "api", "pepper_seed");
  ASSERT_TRUE(last.ok() && last->has_value());
  EXPECT_EQ((*last)->id, *id);
  expect_same(**last, build);
}

TEST_F(Builds, NothingIsRememberedOfOthers) {
  ASSERT_TRUE(builds.record(a_build()).ok());
  EXPECT_FALSE(builds.last_build("repo2", "api", "pepper_seed")->has_value());
  EXPECT_FALSE(builds.last_build("repo1", "db", "pepper_seed")->has_value());
  EXPECT_FALSE(builds.last_build("repo1", "api", "salt")->has_value());
  EXPECT_FALSE(builds.last_build_anywhere("repo1", "db")->has_value());
  EXPECT_FALSE(builds.find("repo1", "api", "pepper_seed", "0123")->has_value());
  EXPECT_TRUE(builds.history("repo2", {}, 10)->empty());
}

TEST_F(Builds, TheNewestIsTheLastRecordedWhateverTheClockSaid) {
  BuildRecord early = a_build("api", "pepper_seed", "1"), late = a_build("api", "pepper_seed", "2");
  early.at_ms = 2000;
  late.at_ms = 1000;
  ASSERT_TRUE(builds.record(early).ok());
  ASSERT_TRUE(builds.record(late).ok());
  ASSERT_TRUE(builds.record(a_build("api", "salt", "3")).ok());
  EXPECT_EQ((*builds.last_build("repo1", "api", "pepper_seed"))->hash, late.hash);
  EXPECT_EQ((*builds.last_build_anywhere("repo1", "api"))->parent, "salt");
  EXPECT_EQ((*builds.find("repo1", "api", "pepper_seed", early.hash))->at_ms, 2000);
}

TEST_F(Builds, HistoryIsNewestFirstAndLimited) {
  for (const char* image : {"api", "db", "api", "web"}) ASSERT_TRUE(builds.record(a_build(image)).ok());
  const auto images = [](const Result<std::vector<BuildRecord>>& history) {
    std::string text;
    for (const BuildRecord& build : *history) text += build.image + std::to_string(build.id) + " ";
    return text;
  };
  EXPECT_EQ(images(builds.history("repo1", {}, 10)), "web4 api3 db2 api1 ");
  EXPECT_EQ(images(builds.history("repo1", {}, 2)), "web4 api3 ");
  EXPECT_EQ(images(builds.history("repo1", "api", 10)), "api3 api1 ");
  EXPECT_EQ(images(builds.history("repo1", "api", 0)), "");
  EXPECT_EQ(builds.history("repo1", {}, 1)->front().reasons, a_build().reasons);
}

TEST_F(Builds, TheLastMadeHasReasons) {
  BuildRecord adopted = a_build();
  adopted.reasons.clear();
  EXPECT_FALSE(builds.last_made("repo1", "api", "pepper_seed")->has_value());
  ASSERT_TRUE(builds.record(adopted).ok());
  EXPECT_FALSE(builds.last_made("repo1", "api", std::nullopt)->has_value());
  ASSERT_TRUE(builds.record(a_build()).ok());
  ASSERT_TRUE(builds.record(a_build("api", "salt")).ok());
  ASSERT_TRUE(builds.record(adopted).ok());
  EXPECT_EQ((*builds.last_made("repo1", "api", "pepper_seed"))->id, 2);
  EXPECT_EQ((*builds.last_made("repo1", "api", std::nullopt))->id, 3);
  EXPECT_FALSE(builds.last_made("repo1", "db", std::nullopt)->has_value());
}

TEST_F(Builds, ADamagedFingerprintMakesTheRecordAbsent) {
  ASSERT_TRUE(builds.record(a_build("api", "pepper_seed", "1")).ok());
  ASSERT_TRUE(builds.record(a_build("api", "pepper_seed", "2")).ok());
  raw(file, "UPDATE build SET fingerprint = x'00' WHERE id = 2");
  const auto last = builds.last_build("repo1", "api", "pepper_seed");
  ASSERT_TRUE(last.ok() && last->has_value());
  EXPECT_EQ((*last)->id, 1);
  EXPECT_EQ(builds.history("repo1", {}, 10)->size(), 1u);
  raw(file, "UPDATE build SET fingerprint = x'00'");
  EXPECT_FALSE(builds.last_build_anywhere("repo1", "api")->has_value());
}

TEST_F(Builds, AReasonOfAnUnknownKindIsLeftOut) {
  ASSERT_TRUE(builds.record(a_build()).ok());
  raw(file, "UPDATE build_reason SET kind = 'from-the-future' WHERE position = 0");
  const auto last = builds.last_build("repo1", "api", "pepper_seed");
  ASSERT_TRUE(last.ok() && last->has_value());
  EXPECT_EQ((*last)->reasons, (std::vector<graph::Reason>{a_build().reasons[1]}));
}

TEST_F(Builds, ARecordIsWholeOrAbsent) {
  raw(file,
      "CREATE TRIGGER full BEFORE INSERT ON build_reason WHEN new.position = 1 BEGIN SELECT RAISE(ABORT, 'no'); END");
  const auto recorded = builds.record(a_build());
  ASSERT_FALSE(recorded.ok());
  EXPECT_EQ(recorded.error().code, ErrorCode::kDatabase);
  EXPECT_EQ(ask(file, "SELECT (SELECT count(*) FROM build), (SELECT count(*) FROM build_reason)"), "0|0\n");
}

TEST_F(Builds, NoValueOfABuildArgIsStored) {
  BuildRecord build = a_build();
  graph::FingerprintBuilder builder;
  builder.add(graph::ComponentKind::kBuildArg, "TOKEN", "hunter2hunter2");
  build.fingerprint = std::move(builder).finish();
  ASSERT_TRUE(builds.record(build).ok());
  ASSERT_TRUE(database.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  EXPECT_NE(content(file).find("TOKEN"), std::string::npos);
  EXPECT_EQ(content(file).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace otto::cache
