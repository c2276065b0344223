#include "cache/schema.h"

#include <array>

#include "cache/build_store.h"
#include "cache/manifest_store.h"
#include "cache/parent_store.h"
#include "cache/registration_store.h"
#include "cache/ssh_answer_store.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

/// Version 1 as released: never to be edited. Later versions get a constant and a line in kReleased each.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE stat_manifest (sequence INTEGER PRIMARY KEY, context_key TEXT NOT NULL UNIQUE, body BLOB NOT NULL) STRICT;
CREATE TABLE manifest (sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL) STRICT;
CREATE TABLE build (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, project TEXT NOT NULL, image TEXT NOT NULL,
  parent TEXT NOT NULL, hash TEXT NOT NULL, tag TEXT NOT NULL, image_id TEXT NOT NULL, duration_ms INTEGER NOT NULL,
  uploaded_bytes INTEGER NOT NULL, uploaded_files INTEGER NOT NULL, fingerprint BLOB NOT NULL) STRICT;
CREATE INDEX build_by_project ON build (project);
CREATE INDEX build_by_image ON build (project, image);
CREATE INDEX build_by_parent ON build (project, image, parent);
CREATE INDEX build_by_hash ON build (project, image, parent, hash);
CREATE TABLE build_reason (build_id INTEGER NOT NULL REFERENCES build (id) ON DELETE CASCADE,
  position INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (build_id, position)) STRICT, WITHOUT ROWID;
CREATE TABLE build_context (build_id INTEGER NOT NULL REFERENCES build (id) ON DELETE CASCADE, hash TEXT NOT NULL,
  PRIMARY KEY (build_id, hash)) STRICT, WITHOUT ROWID;
CREATE TABLE parent_facts (parent TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE stage (id INTEGER PRIMARY KEY, parent TEXT NOT NULL, key TEXT NOT NULL, stamp TEXT NOT NULL,
  manifest BLOB NOT NULL, UNIQUE (parent, key)) STRICT;
CREATE TABLE stack (id INTEGER PRIMARY KEY, parent TEXT NOT NULL, project TEXT NOT NULL, inputs TEXT NOT NULL,
  model TEXT NOT NULL, UNIQUE (parent, project)) STRICT;
CREATE TABLE registration (host_id TEXT PRIMARY KEY, parent TEXT NOT NULL, lab TEXT NOT NULL, project TEXT NOT NULL,
  compose_project TEXT NOT NULL, service TEXT NOT NULL, replica INTEGER NOT NULL, container_id TEXT NOT NULL,
  image TEXT NOT NULL, state TEXT NOT NULL, last_seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_stack ON registration (parent, project);
PRAGMA user_version=1;
)sql";

/// The same with one table more.
const std::string kVersion2 = std::string(kVersion1) + R"sql(
CREATE TABLE container (id TEXT PRIMARY KEY, parent TEXT NOT NULL, compose_project TEXT NOT NULL, service TEXT NOT NULL,
  number INTEGER NOT NULL, image_id TEXT NOT NULL, image TEXT NOT NULL, service_digest TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX container_by_stack ON container (parent, compose_project);
PRAGMA user_version=2;
)sql";

/// And one more.
const std::string kVersion3 = kVersion2 + R"sql(
CREATE TABLE ssh_answer (sequence INTEGER PRIMARY KEY, question TEXT NOT NULL UNIQUE, answer TEXT NOT NULL) STRICT;
PRAGMA user_version=3;
)sql";

/// And one column more.
const std::string kVersion4 = kVersion3 + R"sql(
ALTER TABLE container ADD COLUMN account TEXT NOT NULL DEFAULT '';
PRAGMA user_version=4;
)sql";

/// Three tables and two columns more.
const std::string kVersion5 = kVersion4 + R"sql(
CREATE TABLE service_definition (sequence INTEGER PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL,
  digest TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (project, service, digest)) STRICT;
CREATE TABLE service_action (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, project TEXT NOT NULL,
  parent TEXT NOT NULL, service TEXT NOT NULL, host_id TEXT NOT NULL, action TEXT NOT NULL, image TEXT NOT NULL) STRICT;
CREATE INDEX service_action_by_project ON service_action (project);
CREATE INDEX service_action_by_service ON service_action (project, service, parent);
CREATE TABLE service_reason (action_id INTEGER NOT NULL REFERENCES service_action (id) ON DELETE CASCADE,
  position INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (action_id, position)) STRICT, WITHOUT ROWID;
ALTER TABLE registration ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE registration ADD COLUMN reason TEXT NOT NULL DEFAULT '';
PRAGMA user_version=5;
)sql";

const std::array<std::string, 5> kReleased = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5};

/// Every table with its columns and indices, independent of how the SQL was laid out.
constexpr const char* kShape =
    "SELECT s.type, s.name, s.tbl_name, c.cid, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_schema s "
    "LEFT JOIN pragma_table_info(s.name) c ON s.type = 'table' ORDER BY s.name, c.cid";
constexpr const char* kIndices =
    "SELECT s.name, i.name, i.\"unique\", x.seqno, x.name FROM sqlite_schema s, pragma_index_list(s.name) i, "
    "pragma_index_info(i.name) x WHERE s.type = 'table' ORDER BY s.name, i.name, x.seqno";

class Schema : public MemoTest {
 protected:
  std::unique_ptr<sqlite::Connection> connect() {
    if (!std::filesystem::exists(file)) write(file, "");
    return sqlite::Connection::open(file, sqlite::Access::kReadWrite).value();
  }
};

TEST_F(Schema, AFreshMemoIsTheLastReleasedVersion) {
  ASSERT_EQ(static_cast<std::size_t>(schema_version()), kReleased.size()) << "add the new version to kReleased";
  const auto golden = root / "golden.db";
  raw(golden, kReleased.back());
  { const Database database = open(); }
  EXPECT_EQ(ask(file, kShape), ask(golden, kShape));
  EXPECT_EQ(ask(file, kIndices), ask(golden, kIndices));
}

TEST_F(Schema, EveryReleasedVersionIsBroughtUpWithItsContent) {
  for (std::size_t version = 0; version < kReleased.size(); ++version) {
    std::filesystem::remove_all(file.parent_path());
    std::filesystem::create_directories(file.parent_path());
    raw(file, kReleased[version]);
    raw(file,
        "INSERT INTO build VALUES (7, 1, 'repo1', 'api', 'pepper', 'abc', 'repo1-api:abc', 'sha256:1', 2, 3, 4, "
        "CAST('18:otto-fingerprint-1' || char(10) || '32:' || hex(zeroblob(16)) || char(10) AS BLOB));"
        "INSERT INTO build_reason VALUES (7, 0, 'forced', '', '');"
        "INSERT INTO meta VALUES ('change_key', zeroblob(192));");
    Database database = open();
    EXPECT_EQ(*database.connection().integer("PRAGMA user_version"), schema_version());
    EXPECT_EQ(database.change_key().bytes, graph::ChangeKey{}.bytes);
    const auto build = BuildStore(database).last_build("repo1", "api", "pepper");
    ASSERT_TRUE(build.ok() && build->has_value());
    EXPECT_EQ((*build)->tag, "repo1-api:abc");
    EXPECT_EQ((*build)->reasons, (std::vector<graph::Reason>{{graph::ReasonKind::kForced, "", ""}}));
    EXPECT_TRUE(files("memo.db.").empty());
  }
}

constexpr std::array<Migration, 3> kSteps = {{{1, "CREATE TABLE one (x); INSERT INTO one VALUES (1);"},
                                              {2, "ALTER TABLE one ADD COLUMN y DEFAULT 2;"},
                                              {3, "CREATE TABLE three AS SELECT x + y AS z FROM one;"}}};

TEST_F(Schema, MigratesFromEachVersion) {
  for (std::size_t from = 0; from <= kSteps.size(); ++from) {
    std::filesystem::remove_all(file.parent_path());
    auto connection = connect();
    ASSERT_TRUE(migrate(*connection, std::span(kSteps).first(from)).ok());
    EXPECT_EQ(*connection->integer("PRAGMA user_version"), static_cast<std::int64_t>(from));
    ASSERT_TRUE(migrate(*connection, kSteps).ok());
    EXPECT_EQ(*connection->integer("PRAGMA user_version"), 3);
    EXPECT_EQ(*connection->integer("SELECT z FROM three"), 3);
    EXPECT_EQ(*connection->integer("SELECT count(*) FROM one"), 1);
  }
}

TEST_F(Schema, AFailingStepLeavesTheVersionBeforeItWhole) {
  constexpr std::array<Migration, 3> kBroken = {{kSteps[0], {2, "CREATE TABLE two (x); SELECT nonsense;"}, kSteps[2]}};
  auto connection = connect();
  const auto migrated = migrate(*connection, kBroken);
  ASSERT_FALSE(migrated.ok());
  EXPECT_EQ(migrated.error().context, (std::vector<std::string>{"while bringing the memo to version 2"}));
  EXPECT_EQ(*connection->integer("PRAGMA user_version"), 1);
  EXPECT_EQ(*connection->integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('two', 'three')"), 0);
  EXPECT_FALSE(connection->in_transaction());
  ASSERT_TRUE(migrate(*connection, kSteps).ok());
}

TEST_F(Schema, EveryReadOfACommandHasItsIndex) {
  Database database = open();
  BuildStore builds(database);
  ManifestStore manifests(database);
  ParentStore parents(database);
  RegistrationStore registrations(database);
  for (const char* image : {"api", "db", "web"}) {
    for (const char* parent : {"pepper", "salt"}) {
      ASSERT_TRUE(builds.record(a_build(image, parent)).ok());
      ASSERT_TRUE(manifests.store_stats(image, serialize(StatManifest())).ok());
      ASSERT_TRUE(manifests.store_manifest({}, graph::sha256(image)).ok());
      ASSERT_TRUE(parents.put_facts(parent, "x").ok());
      ASSERT_TRUE(parents.put_stage({parent, image, "s", "m"}).ok());
      ASSERT_TRUE(parents.put_stack({parent, image, "i", "m"}).ok());
      ASSERT_TRUE(registrations.replace(parent, image, {a_registration(image, parent)}).ok());
    }
  }
  EXPECT_TRUE(builds.last_build("repo1", "api", "pepper")->has_value());
  EXPECT_TRUE(builds.last_build_anywhere("repo1", "api")->has_value());
  EXPECT_TRUE(builds.last_made("repo1", "api", "pepper")->has_value());
  EXPECT_TRUE(builds.last_made("repo1", "api", std::nullopt)->has_value());
  EXPECT_TRUE(builds.find("repo1", "api", "pepper", a_build().hash)->has_value());
  EXPECT_EQ(builds.history("repo1", "api", 10)->size(), 2u);
  EXPECT_EQ(builds.history("repo1", {}, 10)->size(), 6u);
  EXPECT_TRUE(manifests.load_stats("api")->has_value());
  EXPECT_TRUE(manifests.load_manifest(graph::sha256("api")).ok());
  EXPECT_TRUE(parents.facts("pepper")->has_value());
  EXPECT_TRUE(parents.stage("pepper", "api")->has_value());
  EXPECT_TRUE(parents.stack("pepper", "api")->has_value());
  ASSERT_TRUE(parents.put_containers("pepper", "otto-api", {{"c1", "api", 1, "sha256:a", "api:1", "d"}}).ok());
  EXPECT_EQ(parents.containers("pepper", "otto-api")->size(), 1U);
  EXPECT_TRUE(registrations.find("pepper.repo1.api")->has_value());
  ASSERT_TRUE(SshAnswerStore(database).put("question", "answer").ok());
  EXPECT_TRUE(SshAnswerStore(database).find("question")->has_value());
  EXPECT_EQ(database.connection().unindexed_steps(), 0);
  ASSERT_TRUE(database.connection().run("SELECT * FROM build WHERE image_id = 'x'").ok());
  EXPECT_GT(database.connection().unindexed_steps(), 0) << "the counter must be able to count";
}

}  // namespace
}  // namespace otto::cache
