#include "graph/base/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace otto {

namespace {

constexpr std::size_t kLeastRoom = 4096;

/// A file that is as long as its stat says ends at the first read that brings less than there is room for.
std::optional<std::string> read_open(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  std::string bytes;
  std::size_t size = 0;
  for (bool more = true; more;) {
    bytes.resize(std::max({static_cast<std::size_t>(status.st_size) + 1, kLeastRoom, size * 2}));
    const ssize_t got = ::read(file, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno != EINTR) return std::nullopt;
    size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    const bool as_told = size == static_cast<std::size_t>(status.st_size) && size > 0;
    more = got < 0 || (got > 0 && !as_told);
  }
  bytes.resize(size);
  bytes.shrink_to_fit();
  return bytes;
}

}  // namespace

std::optional<std::string> read_whole_file(const std::filesystem::path& path) {
  // O_NONBLOCK: a FIFO is refused, not waited for.
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  auto bytes = read_open(file);
  const int error = errno;
  ::close(file);
  errno = error;
  return bytes;
}

}  // namespace otto
