#include "engine/context/file_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/context/racy_clock.h"
#include "graph/base/text.h"

namespace otto::context {

namespace {

/// Files up to this size are read whole and hashed from the buffer: XXH3 first, SHA-256 only where that is new.
constexpr std::size_t kWhole = 1 << 20;
constexpr std::size_t kBlock = 256 << 10;  ///< larger ones are read in blocks that the processor's own cache holds
constexpr std::size_t kUnseen = 64 << 10;  ///< those whose size nobody knows, up to this one
constexpr int kAttempts = 5;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

Error interrupted() { return make_error(ErrorCode::kInterrupted, "the scan was interrupted"); }

}  // namespace

FileStat file_stat(const struct stat& status) {
  return {status.st_dev,
          status.st_ino,
          static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim),
          static_cast<std::uint16_t>(status.st_mode & 07777)};
}

Error unreadable(std::string_view what, std::string_view path, int error_number) {
  const std::string name = text::printable(path);
  const bool denied = error_number == EACCES || error_number == EPERM;
  return make_error(
      ErrorCode::kIo, fmt::format("cannot read {} '{}' of the context: {}", what, name, std::strerror(error_number)),
      denied ? fmt::format("make it readable (chmod u+r{} {}) or leave it out with a line in the ignore file",
                           what == "directory" ? "x" : "", text::shell_quote(name))
             : "leave it out with a line in the ignore file, or mend the file system");
}

FileReader::FileReader(const graph::ChangeKey& key, std::int64_t clock_ns, std::stop_token stop)
    : key_(key), clock_ns_(clock_ns), stop_(std::move(stop)) {}

/// Without a mark of the reading, which would have every inode written after a fresh checkout; only the owner may ask
/// for that. O_NONBLOCK: what was a file a moment ago may be a FIFO by now.
int FileReader::open(int directory, const char* name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const int fd = may_hide_ ? ::openat(directory, name, kFlags | O_NOATIME) : -1;
  if (may_hide_ && (fd >= 0 || errno != EPERM)) return fd;
  may_hide_ = false;
  return ::openat(directory, name, kFlags);
}

/// At least `size` bytes, up to kWhole: in one huge page for what is not small, which is worth its making then.
char* FileReader::buffer(std::size_t size) {
  LargeBytes& bytes = size <= kUnseen ? small_ : large_;
  if (bytes == nullptr) bytes = large_bytes(size <= kUnseen ? kUnseen : kHugePage);
  return bytes.get();
}

/// What a socket becomes in an image.
FileContent FileReader::as_empty(const FileStat& socket) const {
  FileContent content;
  content.stat = socket;
  content.change = graph::change_digest("", key_);
  content.digest = graph::sha256("");
  return content;
}

Result<std::optional<FileContent>> FileReader::read(int directory, const char* name, std::string_view path,
                                                    const FileStat& seen, const cache::StatEntry* known) {
  FileContent content;
  FileStat before = seen;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (stop_.stop_requested()) return interrupted();
    const OpenFile file(open(directory, name));
    if (file.get() < 0 && errno == ENOENT) return std::optional<FileContent>();
    if (file.get() < 0 && errno == ELOOP) continue;
    if (file.get() < 0 && errno == ENXIO && before.size == 0) return std::optional(as_empty(before));
    if (file.get() < 0) return unreadable("file", path, errno);
    struct stat status {};
    if (attempt > 0) {
      if (::fstat(file.get(), &status) != 0) return unreadable("file", path, errno);
      before = file_stat(status);
    }
    OTTO_TRY(const bool whole, read_once(file.get(), before, path, known, content));
    if (::fstat(file.get(), &status) != 0) return unreadable("file", path, errno);
    content.stat = file_stat(status);
    if (whole && S_ISREG(status.st_mode) && content.stat == before) return std::optional(content);
  }
  return make_error(ErrorCode::kInputsChanged,
                    fmt::format("'{}' of the context kept changing while it was read", text::printable(path)),
                    "wait until whatever writes it is done, or leave it out with a line in the ignore file");
}

Result<std::optional<FileContent>> FileReader::read_unseen(int directory, const char* name, std::string_view path,
                                                           bool remote, const cache::StatEntry* known) {
  if (stop_.stop_requested()) return interrupted();
  FileContent content;
  {
    const OpenFile file(open(directory, name));
    if (file.get() < 0 && errno == ENOENT) return std::optional<FileContent>();
    if (file.get() >= 0) {
      OTTO_TRY(const bool whole, read_unseen_once(file.get(), remote, path, known, content));
      if (whole) return std::optional(content);
    }
  }
  struct stat status {};
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::optional<FileContent>();
    return unreadable("file", path, errno);
  }
  return read(directory, name, path, file_stat(status), known);
}

/// False: it is large, was changed lately, or is no file: to be read with more care.
Result<bool> FileReader::read_unseen_once(int file, bool remote, std::string_view path, const cache::StatEntry* known,
                                          FileContent& content) {
  ssize_t got = 0;
  do {
    got = ::read(file, buffer(kUnseen), kUnseen);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EISDIR)) return false;
  if (got < 0) return unreadable("file", path, errno);
  const auto size = static_cast<std::size_t>(got);
  struct stat status {};
  if (size == kUnseen || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  content.stat = file_stat(status);
  if (content.stat.size != size || is_racy(content.stat.ctime_ns, remote, clock_ns_)) return false;
  const bool comparable = known != nullptr && known->type == graph::EntryType::kFile && known->size == size;
  digest_small({buffer(kUnseen), size}, comparable ? known : nullptr, content);
  return true;
}

/// False: its size is not what stat said, or it is no file any more.
Result<bool> FileReader::read_once(int file, const FileStat& before, std::string_view path,
                                   const cache::StatEntry* known, FileContent& content) {
  const bool comparable = known != nullptr && known->type == graph::EntryType::kFile && known->size == before.size;
  content.stat = before;
  return before.size <= kWhole ? read_small(file, path, comparable ? known : nullptr, content)
                               : read_large(file, path, comparable ? known : nullptr, content);
}

Result<bool> FileReader::read_small(int file, std::string_view path, const cache::StatEntry* known,
                                    FileContent& content) {
  char* const bytes = buffer(content.stat.size);
  std::size_t size = 0;
  while (size < content.stat.size) {
    const ssize_t got = ::read(file, bytes + size, content.stat.size - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EISDIR)) return false;
    if (got < 0) return unreadable("file", path, errno);
    if (got == 0) return false;
    size += static_cast<std::size_t>(got);
  }
  digest_small({bytes, size}, known, content);
  return true;
}

void FileReader::digest_small(std::string_view bytes, const cache::StatEntry* known, FileContent& content) const {
  content.bytes_read += bytes.size();
  content.change = graph::change_digest(bytes, key_);
  content.digest = known != nullptr && known->change == content.change ? known->digest : graph::sha256(bytes);
}

/// Gives the file block by block from its head; false: it is not as long as stat said.
template <typename Take>
Result<bool> FileReader::each_block(int file, std::string_view path, FileContent& content, Take take) {
  char* const bytes = buffer(kBlock);
  std::uint64_t offset = 0;
  while (offset < content.stat.size) {
    if (stop_.stop_requested()) return interrupted();
    const ssize_t got = ::pread(file, bytes, kBlock, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == ESPIPE || errno == EISDIR)) return false;
    if (got < 0) return unreadable("file", path, errno);
    if (got == 0) return false;
    take(std::string_view(bytes, static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
    content.bytes_read += static_cast<std::uint64_t>(got);
  }
  return offset == content.stat.size;
}

Result<bool> FileReader::read_large(int file, std::string_view path, const cache::StatEntry* known,
                                    FileContent& content) {
  graph::ChangeHasher change(key_);
  graph::Sha256 sha;
  if (known != nullptr) {
    OTTO_TRY(const bool whole, each_block(file, path, content, [&](std::string_view block) { change.update(block); }));
    content.change = change.finish();
    content.digest = known->digest;
    if (!whole || content.change == known->change) return whole;
    OTTO_TRY(const bool again, each_block(file, path, content, [&](std::string_view block) { sha.update(block); }));
    content.digest = sha.finish();
    return again;
  }
  OTTO_TRY(const bool whole, each_block(file, path, content, [&](std::string_view block) {
             change.update(block);
             sha.update(block);
           }));
  content.change = change.finish();
  content.digest = sha.finish();
  return whole;
}

}  // namespace otto::context
