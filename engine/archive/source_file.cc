#include "engine/archive/source_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "graph/base/text.h"

namespace otto::archive {
namespace {

constexpr std::size_t kReadBlock = 256 * 1024;

/// What an errno of opening or reading a source path means: gone and replaced are changes, the rest is trouble.
Error unreadable(const std::filesystem::path& path, int number) {
  if (number == ENOENT || number == ENOTDIR || number == ELOOP || number == EINVAL || number == ENXIO)
    return source_changed(path, "was removed or replaced");
  return make_error(ErrorCode::kIo,
                    fmt::format("cannot read {}: {}", text::printable(path.native()), std::strerror(number)),
                    "make it readable, or leave it out with an ignore rule");
}

/// Fills as much of `block` as the file has at `offset`.
Result<std::size_t> read_some(int fd, const std::filesystem::path& path, char* block, std::size_t size,
                              std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    auto got = ::pread(fd, block + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

Error source_changed(const std::filesystem::path& path, std::string_view how) {
  return make_error(ErrorCode::kInputsChanged,
                    fmt::format("{} {} while it was being sent", text::printable(path.native()), how),
                    "run the command again when nothing writes to it");
}

Result<void> check_symlink(const std::filesystem::path& path, const graph::ContextEntry& entry) {
  std::vector<char> target(entry.target.size() + 2);
  auto size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return unreadable(path, errno);
  if (std::string_view(target.data(), static_cast<std::size_t>(size)) != entry.target)
    return source_changed(path, "was pointed elsewhere");
  return {};
}

Result<SourceFile> SourceFile::open(std::filesystem::path path, const graph::ContextEntry& entry) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  SourceFile file(fd, std::move(path), entry);
  if (file.fd_ < 0 && errno == ENXIO && entry.size == 0) return file;  // a socket: an empty file
  if (file.fd_ < 0) return unreadable(file.path_, errno);
  struct stat facts {};
  if (::fstat(file.fd_, &facts) != 0) return unreadable(file.path_, errno);
  if (!S_ISREG(facts.st_mode)) return source_changed(file.path_, "was replaced");
  if (static_cast<std::uint64_t>(facts.st_size) != entry.size) return source_changed(file.path_, "changed its size");
  return file;
}

SourceFile::SourceFile(SourceFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), entry_(other.entry_) {}

SourceFile::~SourceFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> SourceFile::read(const ByteSink& sink, const std::stop_token& stop) {
  graph::Sha256 hasher;
  std::vector<char> block(static_cast<std::size_t>(std::min<std::uint64_t>(entry_->size, kReadBlock)));
  for (std::uint64_t done = 0; done < entry_->size;) {
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(entry_->size - done, block.size()));
    OTTO_TRY(auto size, read_some(fd_, path_, block.data(), wanted, done));
    if (size < wanted) return source_changed(path_, "was cut short");
    std::string_view bytes(block.data(), size);
    hasher.update(bytes);
    OTTO_RETURN_IF_ERROR(sink(bytes));
    done += size;
  }
  if (hasher.finish() != entry_->digest) return source_changed(path_, "changed");
  return {};
}

Result<void> SourceFile::read_at(std::uint64_t offset, std::size_t size, std::string& bytes) {
  bytes.resize(size);
  OTTO_TRY(auto got, read_some(fd_, path_, bytes.data(), size, offset));
  return got == size ? Result<void>() : source_changed(path_, "was cut short");
}

}  // namespace otto::archive
