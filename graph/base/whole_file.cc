#include "graph/base/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "graph/base/fd.h"

namespace otto {

namespace {

constexpr std::size_t kLeastRoom = 4096;

/// A file that is as long as its stat says ends at the first read that brings less than there is room for.
std::optional<std::string> read_open(int file, std::size_t room) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return std::nullopt;
  if (S_ISCHR(status.st_mode)) {  // people name /dev/null where they want no file
    char byte = 0;
    if (::read(file, &byte, 1) == 0) return std::string();
  }
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  std::string bytes;
  if (room > 0) bytes.reserve(static_cast<std::size_t>(status.st_size) + 1 + room);
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
  if (room == 0) bytes.shrink_to_fit();
  return bytes;
}

}  // namespace

std::optional<std::string> read_whole_file(const std::filesystem::path& path, std::size_t room) {
  // O_NONBLOCK: a FIFO is refused, not waited for.
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  auto bytes = read_open(file, room);
  const int error = errno;
  ::close(file);
  errno = error;
  return bytes;
}

Result<std::string> read_small_file(const std::filesystem::path& path) {
  if (auto bytes = read_whole_file(path)) return std::move(*bytes);
  return make_error(ErrorCode::kIo, fmt::format("cannot read '{}': {}", path.string(), errno_text(errno)));
}

}  // namespace otto
