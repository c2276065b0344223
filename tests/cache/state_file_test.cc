#include "cache/state_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "tests/cache/memo_fixture.h"

namespace otto::cache {
namespace {

using StateFile = MemoTest;

TEST_F(StateFile, MakesMissingFoldersPrivate) {
  ASSERT_TRUE(ensure_folder(file.parent_path()).ok());
  EXPECT_EQ(mode_of(root / "state"), 0700u);
  EXPECT_EQ(mode_of(root / "state/otto"), 0700u);
  ASSERT_TRUE(ensure_folder(file.parent_path()).ok());
}

TEST_F(StateFile, LeavesAnExistingFoldersPermissions) {
  std::filesystem::create_directory(root / "state");
  ::chmod((root / "state").c_str(), 0755);
  ASSERT_TRUE(ensure_folder(file.parent_path()).ok());
  EXPECT_EQ(mode_of(root / "state"), 0755u);
}

TEST_F(StateFile, AFileInTheFoldersPlaceIsNamed) {
  write(root / "state", "a file");
  const auto made = ensure_folder(file.parent_path());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kDatabase);
  EXPECT_NE(made.error().message.find((root / "state").string()), std::string::npos) << made.error().message;
  EXPECT_NE(made.error().hint.find("OTTO_STATE_DIR"), std::string::npos);
}

TEST_F(StateFile, FilesArePrivateWhateverTheUmask) {
  ASSERT_TRUE(ensure_folder(file.parent_path()).ok());
  const mode_t before = ::umask(0);
  const auto made = ensure_private_file(file);
  ::umask(before);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(mode_of(file), 0600u);
  ::chmod(file.c_str(), 0644);
  ASSERT_TRUE(ensure_private_file(file).ok());
  EXPECT_EQ(mode_of(file), 0600u);
}

TEST_F(StateFile, SettingAsideTakesTheLogsAlongAndNeverOverwrites) {
  std::vector<std::filesystem::path> names;
  for (int i = 0; i < 3; ++i) {
    write(file, "db" + std::to_string(i));
    write(file.string() + "-wal", "wal" + std::to_string(i));
    const auto aside = set_aside(file, "corrupt");
    ASSERT_TRUE(aside.ok()) << aside.error().message;
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_FALSE(std::filesystem::exists(file.string() + "-wal"));
    names.push_back(*aside);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_TRUE(names[i].filename().string().starts_with("memo.db.corrupt-2")) << names[i];
    EXPECT_EQ(content(names[i]), "db" + std::to_string(i));
    EXPECT_EQ(content(names[i].string() + "-wal"), "wal" + std::to_string(i));
  }
}

/// 'y' if somebody holds the folder's lock, else 'n'; asked without the code under test.
char is_held(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  const bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return held ? 'y' : 'n';
}

TEST_F(StateFile, OneHoldsTheLockAtATime) {
  ASSERT_TRUE(ensure_folder(file.parent_path()).ok());
  int go[2], seen[2];
  ASSERT_EQ(::pipe(go), 0);
  ASSERT_EQ(::pipe(seen), 0);
  // Forked before the lock is taken: a child that inherits the descriptor would share the lock.
  const pid_t child = in_child([&] {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) return false;
    const char held = is_held(file.parent_path());
    return ::write(seen[1], &held, 1) == 1 && FolderLock::take(file.parent_path()).ok();
  });
  char held = 0;
  {
    const auto lock = FolderLock::take(file.parent_path());
    ASSERT_TRUE(lock.ok());
    ASSERT_EQ(::write(go[1], "g", 1), 1);
    ASSERT_EQ(::read(seen[0], &held, 1), 1);
  }
  EXPECT_EQ(held, 'y');
  EXPECT_EQ(wait_for(child), 0) << "taken once it was free";
  EXPECT_EQ(is_held(file.parent_path()), 'n');
  for (const int end : {go[0], go[1], seen[0], seen[1]}) ::close(end);
}

}  // namespace
}  // namespace otto::cache
