#include "cache/database.h"

#include <optional>

#include "cache/parent_store.h"
#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

using DatabaseTest = MemoTest;

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(DatabasePath, FollowsTheEnvironment) {
  const Environment home("HOME", "/home/ann");
  {
    const Environment state("OTTO_STATE_DIR", "/ci/state"), xdg("XDG_STATE_HOME", "/xdg");
    EXPECT_EQ(Database::default_path(), "/ci/state/memo.db");
  }
  const Environment state("OTTO_STATE_DIR", nullptr);
  {
    const Environment xdg("XDG_STATE_HOME", "/xdg");
    EXPECT_EQ(Database::default_path(), "/xdg/otto/memo.db");
  }
  for (const char* unusable : {static_cast<const char*>(nullptr), "", "relative"}) {
    const Environment xdg("XDG_STATE_HOME", unusable);
    EXPECT_EQ(Database::default_path(), "/home/ann/.local/state/otto/memo.db");
  }
}

TEST_F(DatabaseTest, IsMadePrivate) {
  const mode_t before = ::umask(0);
  {
    Database database = open();
    ASSERT_TRUE(ParentStore(database).put_facts("pepper", "x").ok());
    EXPECT_EQ(mode_of(file.parent_path()), 0700u);
    for (const std::string& name : files("memo.db")) EXPECT_EQ(mode_of(file.parent_path() / name), 0600u) << name;
    EXPECT_EQ(files("memo.db").size(), 3u) << "the database, its -wal and its -shm";
    EXPECT_EQ(database.path(), file);
  }
  ::umask(before);
  ::chmod(file.c_str(), 0664);
  const Database again = open();
  EXPECT_EQ(mode_of(file), 0600u);
}

TEST_F(DatabaseTest, UsesTheWriteAheadLog) {
  Database database = open();
  auto query = database.connection().query("PRAGMA journal_mode");
  ASSERT_TRUE(query.ok() && *query->next());
  EXPECT_EQ(query->text(0), "wal");
}

TEST_F(DatabaseTest, TheChangeKeyStaysAndIsItsOwn) {
  std::optional<graph::ChangeKey> key;
  {
    const Database database = open();
    key = database.change_key();
  }
  EXPECT_NE(key->bytes, graph::ChangeKey{}.bytes);
  EXPECT_EQ(open().change_key().bytes, key->bytes);
  const auto reader = Database::open_existing_read_only(file);
  ASSERT_TRUE(reader.ok() && reader->has_value());
  EXPECT_EQ((*reader)->change_key().bytes, key->bytes);
  std::filesystem::remove_all(file.parent_path());
  EXPECT_NE(open().change_key().bytes, key->bytes);
}

TEST_F(DatabaseTest, ADamagedChangeKeyIsMadeAnew) {
  { const Database database = open(); }
  raw(file, "UPDATE meta SET value = zeroblob(10) WHERE name = 'change_key'");
  const graph::ChangeKey key = open().change_key();
  EXPECT_NE(key.bytes, graph::ChangeKey{}.bytes);
  EXPECT_EQ(open().change_key().bytes, key.bytes);
}

TEST_F(DatabaseTest, ReadOnlyCreatesNothing) {
  const auto absent = Database::open_existing_read_only(file);
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(absent->has_value());
  std::vector<std::string> warnings;
  const auto opened = Database::open(file, OpenMode::kReadOnly, warnings);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kDatabase);
  EXPECT_NE(opened.error().message.find(file.string()), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(root));
}

TEST_F(DatabaseTest, ReadOnlyReadsAndCannotWrite) {
  {
    Database database = open();
    ASSERT_TRUE(ParentStore(database).put_facts("pepper", "x").ok());
  }
  std::vector<std::string> warnings;
  auto database = Database::open(file, OpenMode::kReadOnly, warnings);
  ASSERT_TRUE(database.ok()) << database.error().message;
  ParentStore parents(*database);
  EXPECT_EQ(*parents.facts("pepper"), "x");
  const auto written = parents.put_facts("pepper", "y");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kDatabase);
  EXPECT_EQ(*parents.facts("pepper"), "x");
}

TEST_F(DatabaseTest, ReadOnlySeesWhatAWriterHasJustCommitted) {
  Database writer = open();
  ASSERT_TRUE(ParentStore(writer).put_facts("pepper", "in the log only").ok());
  auto reader = Database::open_existing_read_only(file);
  ASSERT_TRUE(reader.ok() && reader->has_value());
  EXPECT_EQ(*ParentStore(**reader).facts("pepper"), "in the log only");
}

TEST_F(DatabaseTest, AnOlderMemoIsAsGoodAsNoneForReading) {
  write(file, "");
  const auto reader = Database::open_existing_read_only(file);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_FALSE(reader->has_value());
  EXPECT_EQ(content(file), "");
}

TEST_F(DatabaseTest, TransactionsCommitAsOne) {
  Database database = open();
  ParentStore parents(database);
  ASSERT_TRUE(database
                  .in_transaction([&]() -> Result<void> {
                    OTTO_RETURN_IF_ERROR(parents.put_facts("a", "1"));
                    return parents.put_facts("b", "2");
                  })
                  .ok());
  EXPECT_EQ(*parents.facts("a"), "1");
  EXPECT_EQ(*parents.facts("b"), "2");
}

TEST_F(DatabaseTest, AFailedTransactionLeavesNothingAndItsOwnError) {
  Database database = open();
  ParentStore parents(database);
  const auto done = database.in_transaction([&]() -> Result<void> {
    OTTO_RETURN_IF_ERROR(parents.put_facts("a", "1"));
    return make_error(ErrorCode::kRemoteFailed, "the parent said no");
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kRemoteFailed);
  EXPECT_EQ(*parents.facts("a"), std::nullopt);
  EXPECT_TRUE(parents.put_facts("a", "2").ok()) << "the next one must work";
}

TEST_F(DatabaseTest, AnInnerFailureUndoesTheInnerPartOnly) {
  Database database = open();
  ParentStore parents(database);
  ASSERT_TRUE(database
                  .in_transaction([&]() -> Result<void> {
                    OTTO_RETURN_IF_ERROR(parents.put_facts("outer", "1"));
                    const auto inner = database.in_transaction([&]() -> Result<void> {
                      OTTO_RETURN_IF_ERROR(parents.put_facts("inner", "1"));
                      return make_error(ErrorCode::kIo, "no");
                    });
                    EXPECT_FALSE(inner.ok());
                    return database.in_transaction([&] { return parents.put_facts("second", "1"); });
                  })
                  .ok());
  EXPECT_EQ(*parents.facts("outer"), "1");
  EXPECT_EQ(*parents.facts("inner"), std::nullopt);
  EXPECT_EQ(*parents.facts("second"), "1");
}

TEST_F(DatabaseTest, ATransactionKeepsOtherWritersOutFromItsStart) {
  Database first = open(), second = open();
  ASSERT_TRUE(second.connection().execute("PRAGMA busy_timeout=0").ok());
  ParentStore mine(first), theirs(second);
  const auto done = first.in_transaction([&]() -> Result<void> {
    OTTO_RETURN_IF_ERROR(mine.facts("pepper"));
    const auto refused = theirs.put_facts("pepper", "theirs");
    EXPECT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("another otto holds the memo"), std::string::npos);
    return mine.put_facts("pepper", "mine");
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(*theirs.facts("pepper"), "mine");
}

TEST_F(DatabaseTest, AFullDiskIsAnErrorAndLosesNothing) {
  Database database = open();
  ParentStore parents(database);
  ASSERT_TRUE(parents.put_facts("a", "kept").ok());
  const auto pages = database.connection().integer("PRAGMA page_count");
  ASSERT_TRUE(database.connection().execute("PRAGMA max_page_count=" + std::to_string(*pages)).ok());
  const auto written = database.in_transaction([&]() -> Result<void> {
    OTTO_RETURN_IF_ERROR(parents.put_facts("a", "overwritten"));
    return parents.put_facts("b", std::string(1 << 20, 'x'));
  });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kDatabase);
  EXPECT_NE(written.error().message.find(file.string()), std::string::npos) << written.error().message;
  EXPECT_NE(written.error().hint.find("free some space in " + file.parent_path().string()), std::string::npos);
  EXPECT_EQ(*parents.facts("a"), "kept");
  ASSERT_TRUE(database.connection().execute("PRAGMA max_page_count=100000").ok());
  EXPECT_TRUE(parents.put_facts("b", std::string(1 << 20, 'x')).ok());
}

TEST_F(DatabaseTest, AFolderThatCannotBeMadeIsNamedWithTheRemedy) {
  write(root / "state", "a file where the folder should be");
  std::vector<std::string> warnings;
  const auto opened = Database::open(file, OpenMode::kReadWrite, warnings);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kDatabase);
  EXPECT_NE(opened.error().message.find((root / "state").string()), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().hint.find("OTTO_STATE_DIR"), std::string::npos);
  EXPECT_EQ(content(root / "state"), "a file where the folder should be");
}

TEST_F(DatabaseTest, AFolderInTheFilesPlaceIsRefused) {
  std::filesystem::create_directories(file);
  std::vector<std::string> warnings;
  const auto opened = Database::open(file, OpenMode::kReadWrite, warnings);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find(file.string()), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_directory(file));
}

TEST_F(DatabaseTest, AFolderThatCannotBeWrittenStillReads) {
  {
    Database database = open();
    ASSERT_TRUE(ParentStore(database).put_facts("pepper", "x").ok());
  }
  constexpr uid_t kNobody = 65534;
  const bool root_user = ::geteuid() == 0;
  if (root_user) {
    for (const auto& path : {root, root / "state", file.parent_path()}) ::chmod(path.c_str(), 0755);
    ASSERT_EQ(::chown(file.c_str(), kNobody, kNobody), 0);
  } else {
    ::chmod(file.parent_path().c_str(), 0500);
  }
  const pid_t child = in_child([&] {
    if (root_user && ::setuid(kNobody) != 0) return false;
    std::vector<std::string> warnings;
    const auto writer = Database::open(file, OpenMode::kReadWrite, warnings);
    if (writer.ok() || writer.error().hint.find("writable") == std::string::npos || !warnings.empty()) return false;
    auto reader = Database::open_existing_read_only(file);
    return reader.ok() && reader->has_value() && *ParentStore(**reader).facts("pepper") == "x";
  });
  EXPECT_EQ(wait_for(child), 0);
  if (!root_user) ::chmod(file.parent_path().c_str(), 0700);
  EXPECT_EQ(files("memo.db"), (std::vector<std::string>{"memo.db"}));
}

TEST(DatabaseInMemory, HoldsWhatItsSnapshotHeld) {
  auto first = Database::in_memory();
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(ParentStore(*first).put_facts("pepper", "x").ok());
  const auto snapshot = first->snapshot();
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  ASSERT_TRUE(ParentStore(*first).put_facts("pepper", "later").ok());
  auto second = Database::in_memory(*snapshot);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(*ParentStore(*second).facts("pepper"), "x");
  EXPECT_EQ(second->change_key().bytes, first->change_key().bytes);
  ASSERT_TRUE(ParentStore(*second).put_facts("carrot", "y").ok()) << "it can grow";
}

TEST(DatabaseInMemory, ForgetsEverything) {
  auto memo = Database::in_memory();
  ASSERT_TRUE(memo.ok()) << memo.error().message;
  ASSERT_TRUE(ParentStore(*memo).put_facts("pepper", "x").ok());
  ASSERT_TRUE(memo->forget_everything().ok());
  EXPECT_EQ(*ParentStore(*memo).facts("pepper"), std::nullopt);
}

}  // namespace
}  // namespace otto::cache
