#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace otto::testing {

namespace {

void require(bool done, const std::filesystem::path& path) {
  if (done) return;
  std::perror(path.c_str());
  std::abort();
}

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  require(::lstat(path.c_str(), &status) == 0, path);
  return status;
}

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

TempTree::TempTree() {
  std::string name = std::filesystem::temp_directory_path() / "otto-test-XXXXXX";
  require(::mkdtemp(name.data()) != nullptr, name);
  root_ = name;
}

TempTree::~TempTree() {
  // rm, because it removes trees deeper than the longest path.
  const std::array<const char*, 5> arguments = {"rm", "-rf", "--", root_.c_str(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, "rm", nullptr, nullptr, const_cast<char* const*>(arguments.data()), environ) == 0) {
    ::waitpid(child, nullptr, 0);
  }
}

std::filesystem::path TempTree::path(std::string_view relative) const { return root_ / relative; }

void TempTree::write(std::string_view relative, std::string_view bytes, mode_t mode) {
  const auto file = path(relative);
  std::filesystem::create_directories(file.parent_path());
  {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    require(static_cast<bool>(out.flush()), file);
  }
  chmod(relative, mode);
}

void TempTree::make_directory(std::string_view relative, mode_t mode) {
  std::filesystem::create_directories(path(relative));
  chmod(relative, mode);
}

void TempTree::symlink(std::string_view relative, std::string_view target) {
  std::filesystem::create_directories(path(relative).parent_path());
  require(::symlink(std::string(target).c_str(), path(relative).c_str()) == 0, path(relative));
}

void TempTree::socket(std::string_view relative) {
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::string where = path(relative).string();
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  where.copy(name.sun_path, sizeof(name.sun_path) - 1);
  require(::bind(made, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0, where);
  ::close(made);
}

void TempTree::fifo(std::string_view relative) { require(::mkfifo(path(relative).c_str(), 0644) == 0, path(relative)); }

void TempTree::chmod(std::string_view relative, mode_t mode) {
  require(::chmod(path(relative).c_str(), mode) == 0, path(relative));
}

void TempTree::remove(std::string_view relative) { std::filesystem::remove_all(path(relative)); }

void TempTree::rename(std::string_view from, std::string_view to) { std::filesystem::rename(path(from), path(to)); }

void TempTree::set_mtime(std::string_view relative, std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec time{static_cast<time_t>(ns / kSecond - (ns % kSecond < 0)),
                      static_cast<long>((ns % kSecond + kSecond) % kSecond)};
  const std::array<timespec, 2> times = {time, time};
  require(::utimensat(AT_FDCWD, path(relative).c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0, path(relative));
}

std::int64_t TempTree::mtime(std::string_view relative) const { return nanoseconds(status_of(path(relative)).st_mtim); }

std::int64_t TempTree::ctime(std::string_view relative) const { return nanoseconds(status_of(path(relative)).st_ctim); }

int run_unprivileged(const std::function<int()>& work) {
  if (::geteuid() != 0) return work();
  constexpr uid_t kNobody = 65534;
  const pid_t child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      ::_exit(101);
    }
    ::_exit(work());
  }
  int status = 0;
  require(::waitpid(child, &status, 0) == child, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

}  // namespace otto::testing
