#include "cache/sqlite.h"

#include "tests/cache/memo_fixture.h"

namespace otto::cache::sqlite {
namespace {

class Sqlite : public MemoTest {
 protected:
  Sqlite() {
    write(file, "");
    connection = Connection::open(file, Access::kReadWrite).value();
  }
  std::unique_ptr<Connection> connection;
};

TEST_F(Sqlite, BindsAndReadsEveryByte) {
  const std::string text("a\0b\xff", 4), blob("\0\1\2", 3);
  ASSERT_TRUE(connection->execute("CREATE TABLE t (i INTEGER, t TEXT, b BLOB)").ok());
  ASSERT_TRUE(connection->run("INSERT INTO t VALUES (?1, ?2, ?3)", std::uint64_t{1} << 63, text, Blob{blob}).ok());
  ASSERT_TRUE(connection->run("INSERT INTO t VALUES (?1, ?2, ?3)", -5, "", Blob{}).ok());
  auto query = connection->query("SELECT i, t, b, typeof(t), typeof(b) FROM t");
  ASSERT_TRUE(query.ok());
  ASSERT_TRUE(*query->next());
  EXPECT_EQ(query->count(0), std::uint64_t{1} << 63);
  EXPECT_EQ(query->text(1), text);
  EXPECT_EQ(query->bytes(2), blob);
  ASSERT_TRUE(*query->next());
  EXPECT_EQ(query->integer(0), -5);
  EXPECT_EQ(query->text(3) + query->text(4), "textblob");
  EXPECT_FALSE(*query->next());
}

TEST_F(Sqlite, AStatementIsReusableAfterItsQuery) {
  for (int i = 0; i < 3; ++i) {
    auto query = connection->query("SELECT ?1", i);
    ASSERT_TRUE(query.ok());
    ASSERT_TRUE(*query->next());
    EXPECT_EQ(query->integer(0), i);
  }
}

TEST_F(Sqlite, FailuresNameTheFile) {
  const auto failed = connection->run("INSERT INTO nowhere VALUES (1)");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kDatabase);
  EXPECT_NE(failed.error().message.find(file.string()), std::string::npos);
  EXPECT_NE(failed.error().message.find("no such table: nowhere"), std::string::npos);
  EXPECT_TRUE(connection->suspect()) << "our own SQL not fitting the schema means damage";
}

TEST_F(Sqlite, AConstraintIsNoDamage) {
  ASSERT_TRUE(connection->execute("CREATE TABLE t (i INTEGER PRIMARY KEY)").ok());
  ASSERT_TRUE(connection->run("INSERT INTO t VALUES (1)").ok());
  EXPECT_FALSE(connection->run("INSERT INTO t VALUES (1)").ok());
  EXPECT_FALSE(connection->suspect());
}

TEST_F(Sqlite, ABusyDatabaseNamesTheOtherOtto) {
  auto other = Connection::open(file, Access::kReadWrite).value();
  ASSERT_TRUE(other->execute("BEGIN EXCLUSIVE").ok());
  ASSERT_TRUE(connection->execute("PRAGMA busy_timeout=20").ok());
  const auto failed = connection->run("CREATE TABLE t (i)");
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message.find("another otto holds the memo " + file.string()), std::string::npos)
      << failed.error().message;
  EXPECT_FALSE(failed.error().hint.empty());
  EXPECT_FALSE(connection->suspect());
}

TEST_F(Sqlite, ForeignKeysAndTheTimeoutAreOn) {
  EXPECT_EQ(*connection->integer("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(*connection->integer("PRAGMA busy_timeout"), 30000);
}

}  // namespace
}  // namespace otto::cache::sqlite
