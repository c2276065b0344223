// What the memo does when its file is damaged, foreign, newer, shared, or its writer is killed.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>

#include <chrono>
#include <future>

#include "cache/build_store.h"
#include "cache/database.h"
#include "cache/parent_store.h"
#include "cache/schema.h"
#include "cache/sqlite.h"
#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

class Damage : public MemoTest {
 protected:
  /// A memo with something in it, closed.
  void make_memo() {
    Database database = open();
    ASSERT_TRUE(ParentStore(database).put_facts("pepper", "old").ok());
    ASSERT_TRUE(BuildStore(database).record(a_build()).ok());
  }
  /// Opening sets the present file aside with one warning, and the new memo is empty and works.
  void expect_replaced(const std::string& why) {
    const std::string before = content(file);
    std::vector<std::string> warnings;
    Database database = open_with(warnings);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find(file.string()), std::string::npos) << warnings[0];
    ASSERT_EQ(set_aside_files(why).size(), 1u);
    const std::string aside = set_aside_files(why)[0];
    EXPECT_NE(warnings[0].find(aside), std::string::npos) << warnings[0];
    EXPECT_EQ(content(file.parent_path() / aside), before);
    ParentStore parents(database);
    EXPECT_EQ(*parents.facts("pepper"), std::nullopt);
    EXPECT_TRUE(parents.put_facts("pepper", "new").ok());
    EXPECT_EQ(mode_of(file), 0600u);
  }
};

TEST_F(Damage, AFileThatIsNoDatabaseIsSetAside) {
  write(file, std::string(10000, 'x'));
  expect_replaced("corrupt");
}

TEST_F(Damage, AnOverwrittenHeaderIsSetAside) {
  make_memo();
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << std::string(200, '\0');
  expect_replaced("corrupt");
}

TEST_F(Damage, AForeignDatabaseIsSetAside) {
  std::filesystem::create_directories(file.parent_path());
  raw(file, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);");
  expect_replaced("corrupt");
  EXPECT_EQ(ask(file.parent_path() / set_aside_files("corrupt")[0], "SELECT x FROM theirs"), "1\n");
}

TEST_F(Damage, ANewerMemoIsSetAsideUnderItsVersion) {
  make_memo();
  raw(file, "PRAGMA user_version=99");
  expect_replaced("newer-99");
}

TEST_F(Damage, ANewerMemoIsNotTouchedByReading) {
  make_memo();
  raw(file, "PRAGMA user_version=99");
  const auto reader = Database::open_existing_read_only(file);
  ASSERT_FALSE(reader.ok());
  EXPECT_NE(reader.error().message.find("99"), std::string::npos);
  EXPECT_TRUE(files("memo.db.").empty());
}

TEST_F(Damage, ADamagedMemoIsNotTouchedByReading) {
  write(file, std::string(10000, 'x'));
  const auto reader = Database::open_existing_read_only(file);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kDatabase);
  EXPECT_EQ(content(file), std::string(10000, 'x'));
  EXPECT_EQ(files("memo.db").size(), 1u);
}

TEST_F(Damage, DamageFoundByAReadReplacesTheMemoInMidCommand) {
  make_memo();
  damage_table("parent_facts");
  Database database = open();
  const graph::ChangeKey key = database.change_key();
  ParentStore parents(database);
  const auto facts = parents.facts("pepper");
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  EXPECT_EQ(*facts, std::nullopt);
  const std::vector<std::string> warnings = database.take_warnings();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("was damaged"), std::string::npos) << warnings[0];
  EXPECT_TRUE(database.take_warnings().empty());
  EXPECT_EQ(set_aside_files("corrupt").size(), 1u);
  EXPECT_EQ(database.change_key().bytes, key.bytes);
  EXPECT_TRUE(parents.put_facts("pepper", "new").ok());
  const auto reader = Database::open_existing_read_only(file);
  ASSERT_TRUE(reader.ok() && reader->has_value());
  EXPECT_EQ((*reader)->change_key().bytes, key.bytes) << "digests taken with it meanwhile are stored there";
}

TEST_F(Damage, ATransactionThatMeetsDamageRunsAgainFromItsStart) {
  make_memo();
  damage_table("parent_facts");
  Database database = open();
  ParentStore parents(database);
  BuildStore builds(database);
  int runs = 0;
  const auto done = database.in_transaction([&]() -> Result<void> {
    ++runs;
    OTTO_RETURN_IF_ERROR(builds.record(a_build()));
    return parents.put_facts("pepper", "new");
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(*parents.facts("pepper"), "new");
  EXPECT_EQ(builds.history("repo1", {}, 10)->size(), 1u);
}

TEST_F(Damage, AMissingTableIsDamageThatACheckDoesNotSee) {
  make_memo();
  raw(file, "DROP TABLE parent_facts");
  Database database = open();
  ParentStore parents(database);
  const auto facts = parents.facts("pepper");
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  EXPECT_EQ(*facts, std::nullopt);
  EXPECT_TRUE(parents.put_facts("pepper", "new").ok());
  EXPECT_EQ(database.take_warnings().size(), 1u);
}

TEST_F(Damage, DamageAtTheKeyIsFoundWhileOpening) {
  make_memo();
  damage_table("meta");
  std::vector<std::string> warnings;
  Database database = open_with(warnings);
  EXPECT_EQ(warnings.size(), 1u);
  EXPECT_NE(database.change_key().bytes, graph::ChangeKey{}.bytes);
}

TEST_F(Damage, DamageIsOnlyReportedToAReader) {
  make_memo();
  damage_table("parent_facts");
  auto reader = Database::open_existing_read_only(file);
  ASSERT_TRUE(reader.ok() && reader->has_value());
  const auto facts = ParentStore(**reader).facts("pepper");
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(facts.error().code, ErrorCode::kDatabase);
  EXPECT_NE(facts.error().hint.find("delete " + file.string()), std::string::npos);
  EXPECT_TRUE(files("memo.db.").empty());
}

/// Children that all wait for the same moment.
class StartLine {
 public:
  StartLine() {
    if (::pipe(ends_) != 0) std::abort();
  }
  ~StartLine() { ::close(ends_[0]); }
  void wait() const {
    ::close(ends_[1]);
    char byte = 0;
    while (::read(ends_[0], &byte, 1) > 0) continue;
  }
  void go() const { ::close(ends_[1]); }

 private:
  int ends_[2] = {};
};

TEST_F(Damage, SeveralProcessesMakeTheMemoAndWriteAtOnce) {
  constexpr int kChildren = 4, kBuilds = 50;
  const StartLine line;
  std::vector<pid_t> children;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(in_child([&] {
      line.wait();
      std::vector<std::string> warnings;
      auto database = Database::open(file, OpenMode::kReadWrite, warnings);
      if (!database.ok() || !warnings.empty()) return false;
      BuildStore builds(*database);
      for (int build = 0; build < kBuilds; ++build) {
        if (!builds.record(a_build()).ok()) return false;
      }
      return true;
    }));
  }
  line.go();
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  Database database = open();
  const auto history = BuildStore(database).history("repo1", {}, 1000);
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(history->size(), std::size_t{kChildren * kBuilds});
  EXPECT_EQ(ask(file, "PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(ask(file, "SELECT count(*) FROM build_reason"), std::to_string(2 * kChildren * kBuilds) + "\n");
}

TEST_F(Damage, SeveralProcessesReplaceADamagedMemoOnce) {
  make_memo();
  write(file, std::string(10000, 'x'));
  const StartLine line;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(in_child([&, i] {
      line.wait();
      std::vector<std::string> warnings;
      auto database = Database::open(file, OpenMode::kReadWrite, warnings);
      return database.ok() && ParentStore(*database).put_facts("p" + std::to_string(i), "x").ok();
    }));
  }
  line.go();
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(set_aside_files("corrupt").size(), 1u);
  EXPECT_EQ(ask(file, "SELECT count(*) FROM parent_facts"), "4\n");
}

TEST_F(Damage, NothingIsSetAsideWhileAnotherOttoMayBeDoingSo) {
  write(file, std::string(10000, 'x'));
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(folder, LOCK_EX), 0);
  std::vector<std::string> warnings;
  const auto opened = Database::open(file, OpenMode::kReadWrite, warnings);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().message, "another otto holds the memo's folder " + file.parent_path().string());
  EXPECT_EQ(content(file), std::string(10000, 'x'));
  ::close(folder);
  expect_replaced("corrupt");
}

TEST_F(Damage, NoMemoIsOpenedWhileAnotherOttoMayBeReplacingIt) {
  make_memo();
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(folder, LOCK_EX), 0);
  std::vector<std::string> warnings;
  auto opening =
      std::async(std::launch::async, [&] { return Database::open(file, OpenMode::kReadWrite, warnings).ok(); });
  EXPECT_EQ(opening.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  ::close(folder);
  EXPECT_TRUE(opening.get());
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Damage, AWriterKilledInATransactionLeavesTheStateBefore) {
  make_memo();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = in_child([&] {
    Database database = open();
    ParentStore parents(database);
    return database
        .in_transaction([&]() -> Result<void> {
          OTTO_RETURN_IF_ERROR(parents.put_facts("pepper", "half"));
          OTTO_RETURN_IF_ERROR(parents.put_facts("big", std::string(64 << 20, 'x')));  // more than the page cache
          if (::write(ready[1], "r", 1) != 1) return make_error(ErrorCode::kIo, "pipe");
          while (true) ::pause();
        })
        .ok();
  });
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1) << "the writer failed before it could be killed";
  ::close(ready[0]);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_TRUE(WIFSIGNALED(wait_for(child)));
  Database database = open();
  ParentStore parents(database);
  EXPECT_EQ(*parents.facts("pepper"), "old");
  EXPECT_EQ(*parents.facts("big"), std::nullopt);
  EXPECT_TRUE(parents.put_facts("pepper", "new").ok());
  EXPECT_EQ(*database.connection().integer("SELECT count(*) FROM build"), 1);
}

TEST_F(Damage, AWriterKilledBeforeTheFirstMigrationLeavesAnEmptyFileThatIsUsed) {
  write(file, "");
  { const Database database = open(); }
  EXPECT_EQ(ask(file, "PRAGMA user_version"), std::to_string(schema_version()) + "\n");
}

TEST_F(Damage, ALiveConnectionSurvivesAnotherOneSettingItsFileAside) {
  make_memo();
  Database old = open();
  ASSERT_TRUE(ParentStore(old).put_facts("pepper", "in the old log").ok());
  std::vector<std::string> warnings;
  raw(file, "PRAGMA user_version=99");
  Database fresh = open_with(warnings);
  EXPECT_EQ(warnings.size(), 1u);
  ASSERT_TRUE(ParentStore(fresh).put_facts("pepper", "new").ok());
  EXPECT_TRUE(ParentStore(old).put_facts("pepper", "into the file set aside").ok());
  { const Database closed = std::move(old); }
  EXPECT_EQ(*ParentStore(fresh).facts("pepper"), "new");
  ASSERT_TRUE(ParentStore(fresh).put_facts("salt", "new").ok());
  EXPECT_EQ(ask(file, "SELECT count(*) FROM parent_facts"), "2\n");
}

}  // namespace
}  // namespace otto::cache
