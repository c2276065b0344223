#include "engine/context/directory_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "graph/base/result.h"

namespace otto::context {

namespace {

/// Below PATH_MAX, with room for the terminator.
constexpr std::size_t kLongestStretch = 4000;
constexpr std::size_t kListingBuffer = 32 << 10;

int open_directory(int at, const std::string& path, int flags) {
  int fd = -1;
  do {
    fd = ::openat(at, path.c_str(), flags | O_DIRECTORY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/// As the kernel writes it (getdents64(2)); glibc has no name for it.
struct ListedName {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t size;
  std::uint8_t type;
};
constexpr std::size_t kNameOffset = 19;
static_assert(offsetof(ListedName, type) == kNameOffset - 1);

}  // namespace

DirectoryOpener::~DirectoryOpener() {
  if (last_ >= 0) ::close(last_);
}

void DirectoryOpener::keep(int fd, std::string_view path) {
  const int error = errno;
  if (last_ >= 0) ::close(last_);
  last_ = fd;
  last_path_ = path;
  errno = error;
}

int DirectoryOpener::open(std::string_view path) {
  if (path.empty()) return root_;
  int at = root_;
  std::string_view rest = path;
  if (last_ >= 0 && path.starts_with(last_path_)) {
    if (path.size() == last_path_.size()) return last_;
    if (path[last_path_.size()] == '/') {
      at = last_;
      rest.remove_prefix(last_path_.size() + 1);
    }
  }
  while (rest.size() > kLongestStretch) {
    const std::size_t slash = rest.rfind('/', kLongestStretch);
    OTTO_CHECK(slash != std::string_view::npos);  // no name is that long
    const int next = open_directory(at, std::string(rest.substr(0, slash)), O_PATH | O_NOFOLLOW);
    keep(next, path.substr(0, path.size() - rest.size() + slash));
    if (next < 0) return -1;
    at = next;
    rest.remove_prefix(slash + 1);
  }
  keep(open_directory(at, std::string(rest), O_RDONLY | O_NOFOLLOW), path);
  return last_;
}

int list_names(int directory, ListingBuffer& buffer, const std::function<void(std::string_view, ListedType)>& found) {
  if (buffer == nullptr) buffer = std::make_unique_for_overwrite<char[]>(kListingBuffer);
  while (true) {
    const long got = ::syscall(SYS_getdents64, directory, buffer.get(), kListingBuffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      ListedName listed;
      std::memcpy(&listed, buffer.get() + at, kNameOffset);
      const std::string_view name(buffer.get() + at + kNameOffset);
      at += listed.size;
      if (name == "." || name == "..") continue;
      found(name, listed.type == DT_REG       ? ListedType::kFile
                  : listed.type == DT_DIR     ? ListedType::kDirectory
                  : listed.type == DT_UNKNOWN ? ListedType::kUnknown
                                              : ListedType::kOther);
    }
  }
}

bool is_remote(int directory) {
  static constexpr std::array<std::uint32_t, 10> kRemote = {
      NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC, V9FS_MAGIC,
      AFS_SUPER_MAGIC, AFS_FS_MAGIC,    CODA_SUPER_MAGIC, CEPH_SUPER_MAGIC, FUSE_SUPER_MAGIC};
  struct statfs status {};
  if (::fstatfs(directory, &status) != 0) return true;
  return std::find(kRemote.begin(), kRemote.end(), static_cast<std::uint32_t>(status.f_type)) != kRemote.end();
}

}  // namespace otto::context
