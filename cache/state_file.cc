#include "cache/state_file.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>
#include <utility>

namespace otto::cache {

namespace fs = std::filesystem;

namespace {

constexpr auto kLockTimeout = std::chrono::seconds(5);
constexpr auto kLockRetry = std::chrono::milliseconds(20);

Error failed(std::string_view what, const fs::path& path, int error) {
  return make_error(ErrorCode::kDatabase, fmt::format("{} {}: {}", what, path.string(), std::strerror(error)),
                    "make the folder writable, or set OTTO_STATE_DIR to another one");
}

fs::path with_suffix(const fs::path& file, std::string_view suffix) {
  fs::path result = file;
  result += suffix;
  return result;
}

/// A name beside `file` that nothing has yet.
fs::path name_aside(const fs::path& file, const std::string& why) {
  const std::string stem = fmt::format(".{}-{:%Y%m%dT%H%M%SZ}", why, fmt::gmtime(std::time(nullptr)));
  fs::path name = with_suffix(file, stem);
  std::error_code ignored;
  for (int i = 2; fs::exists(fs::symlink_status(name, ignored)); ++i) {
    name = with_suffix(file, fmt::format("{}.{}", stem, i));
  }
  return name;
}

}  // namespace

Result<void> ensure_folder(const fs::path& folder) {
  struct stat status = {};
  if (::stat(folder.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return failed("cannot use the memo's folder", folder, ENOTDIR);
  }
  if (errno != ENOENT) return failed("cannot use the memo's folder", folder, errno);
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    OTTO_RETURN_IF_ERROR(ensure_folder(folder.parent_path()));
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return failed("cannot make the memo's folder", folder, errno);
  }
  return {};
}

Result<void> ensure_private_file(const fs::path& file) {
  const int made = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (made >= 0) {
    ::close(made);
    return {};
  }
  if (errno != EEXIST) return failed("cannot make the memo", file, errno);
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return failed("cannot use the memo", file, errno);
  if (!S_ISREG(status.st_mode)) return failed("cannot use the memo", file, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  if ((status.st_mode & 077) != 0 && ::chmod(file.c_str(), 0600) != 0) {
    return failed("cannot make the memo private:", file, errno);
  }
  return {};
}

Result<FolderLock> FolderLock::take(const fs::path& folder) {
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.descriptor_ < 0) return failed("cannot use the memo's folder", folder, errno);
  const auto deadline = std::chrono::steady_clock::now() + kLockTimeout;
  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) break;
    if (std::chrono::steady_clock::now() >= deadline) {
      return make_error(ErrorCode::kDatabase, fmt::format("another otto holds the memo's folder {}", folder.string()),
                        "wait until the other otto is done, then try again");
    }
    std::this_thread::sleep_for(kLockRetry);
  }
  return lock;
}

std::optional<FolderLock> FolderLock::share(const fs::path& folder) {
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (lock.descriptor_ >= 0 && ::flock(lock.descriptor_, LOCK_SH | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) break;
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<fs::path> set_aside(const fs::path& file, const std::string& why) {
  const fs::path aside = name_aside(file, why);
  // The database itself goes last: killed in between, the next otto finds it still in doubt.
  for (const std::string_view suffix : {"-wal", "-shm", ""}) {
    if (::rename(with_suffix(file, suffix).c_str(), with_suffix(aside, suffix).c_str()) != 0 && errno != ENOENT) {
      return failed("cannot set aside the memo", file, errno);
    }
  }
  return aside;
}

}  // namespace otto::cache
