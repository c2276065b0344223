// The memo as a file: its folder, its permissions, the lock around making it, and setting it aside.
//
// For database.cc. Never opens the database file itself: closing any descriptor of it would drop the POSIX locks that
// SQLite holds in this process. Failures are kDatabase, with the path and the remedy. Any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "graph/base/result.h"

namespace otto::cache {

/// Makes the folders that are missing, 0700 each.
Result<void> ensure_folder(const std::filesystem::path& folder);
/// Makes an empty `file`, 0600, where there is none; takes other people's permissions off one that is there.
Result<void> ensure_private_file(const std::filesystem::path& file);

/// Holds the folder's advisory lock (flock) while it lives: one process at a time makes, migrates or sets aside.
class FolderLock {
 public:
  /// kDatabase if another process held it for 5 s. A file system without flock is used without.
  static Result<FolderLock> take(const std::filesystem::path& folder);
  /// Beside others who share it; nullopt: somebody has taken it. Where it cannot be locked at all, nothing is held.
  static std::optional<FolderLock> share(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Renames `file`, its -wal and its -shm to `<file>.<why>-<UTC time>…` and gives the new name.
Result<std::filesystem::path> set_aside(const std::filesystem::path& file, const std::string& why);

}  // namespace otto::cache
