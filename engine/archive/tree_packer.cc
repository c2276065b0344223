#include "engine/archive/tree_packer.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "graph/base/fd.h"
#include "graph/base/text.h"

namespace otto::archive {
namespace {

using graph::EntryType;

constexpr std::size_t kPackedBlock = 256 * 1024;
constexpr mode_t kModeBits = 07777;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// What of the file is not hole; all of it where the file system does not say.
std::vector<DataRun> data_runs(int fd, std::uint64_t size) {
  std::vector<DataRun> runs;
  for (std::uint64_t at = 0; at < size;) {
    const off_t begin = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // nothing but hole from here on
    const off_t end = begin < 0 ? begin : ::lseek(fd, begin, SEEK_HOLE);
    if (end < 0) return {{0, size}};
    at = std::min(static_cast<std::uint64_t>(end), size);
    if (static_cast<std::uint64_t>(begin) < at) {
      runs.push_back({static_cast<std::uint64_t>(begin), at - static_cast<std::uint64_t>(begin)});
    }
  }
  if (runs.empty()) runs.push_back({0, 0});  // to libarchive, no run at all means no hole at all
  return runs;
}

}  // namespace

Error cannot_read(const std::string& path) {
  const int why = errno;
  const std::string shown = text::printable(path);
  return make_error(ErrorCode::kIo, fmt::format("cannot read {}: {}", shown, std::strerror(why)),
                    why == ENOENT                   ? "check the path: what is put lies on this machine"
                    : why == EACCES || why == EPERM ? "make it readable: chmod u+r " + text::shell_quote(shown)
                                                    : "");
}

/// An entry by its directory's descriptor, and how it is called: here, in full, and in the archive.
struct TreePacker::Place {
  int parent = AT_FDCWD;
  std::string leaf, path, name;
  struct stat facts {};
};

TreePacker::TreePacker(TarFormat format, ByteSink sink, Warner warn, std::stop_token stop)
    : format_(format),
      writer_(format, std::move(sink)),
      warn_(std::move(warn)),
      stop_(std::move(stop)),
      block_(kPackedBlock) {}

Result<void> TreePacker::add(const std::string& path, const std::string& name) {
  return add_at({AT_FDCWD, path, path, name, {}}, true);
}

Result<void> TreePacker::add_mark(const std::string& name) { return writer_.header({name, EntryType::kFile, 0, 0600}); }

Result<void> TreePacker::add_at(const Place& found, bool follow) {
  if (stop_.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  Place place = found;
  if (::fstatat(place.parent, place.leaf.c_str(), &place.facts, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    return cannot_read(place.path);
  }
  switch (place.facts.st_mode & S_IFMT) {
    case S_IFREG: return add_file(place);
    case S_IFDIR: return add_directory(place);
    case S_IFLNK: return add_symlink(place, static_cast<std::size_t>(place.facts.st_size));
    default:
      warn_(
          fmt::format("{} is left out: neither a file, a directory nor a symbolic link", text::printable(place.path)));
      return {};
  }
}

Result<void> TreePacker::add_directory(const Place& place) {
  const int no_follow = place.parent == AT_FDCWD ? 0 : O_NOFOLLOW;
  Fd fd(::openat(place.parent, place.leaf.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_follow));
  if (!fd.valid()) return cannot_read(place.path);
  OTTO_RETURN_IF_ERROR(writer_.header({place.name, EntryType::kDirectory, 0, place.facts.st_mode & kModeBits}));
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(::dup(fd.get())));
  if (!directory) return cannot_read(place.path);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) return errno == 0 ? Result<void>() : cannot_read(place.path);
    const std::string leaf = entry->d_name;
    if (leaf == "." || leaf == "..") continue;
    OTTO_RETURN_IF_ERROR(add_at({fd.get(), leaf, place.path + "/" + leaf, place.name + "/" + leaf, {}}, false));
  }
}

Result<void> TreePacker::add_file(const Place& place) {
  const int no_follow = place.parent == AT_FDCWD ? 0 : O_NOFOLLOW;
  Fd fd(::openat(place.parent, place.leaf.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | no_follow));
  struct stat facts {};
  if (!fd.valid() || ::fstat(fd.get(), &facts) != 0) return cannot_read(place.path);
  if (!S_ISREG(facts.st_mode)) {
    return make_error(ErrorCode::kInputsChanged, text::printable(place.path) + " was replaced while it was being sent");
  }
  OTTO_RETURN_IF_ERROR(settle_length(fd, facts, place.path, stop_));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  ++files_;
  if (format_ == TarFormat::kPax && is_sparse(facts)) return add_sparse(place, fd.get(), size);
  OTTO_RETURN_IF_ERROR(writer_.header({place.name, EntryType::kFile, size, facts.st_mode & kModeBits}));
  return add_content(place, fd.get(), 0, size);
}

Result<void> TreePacker::add_symlink(const Place& place, std::size_t size) {
  std::string target(size + 1, '\0');
  const auto got = ::readlinkat(place.parent, place.leaf.c_str(), target.data(), target.size());
  if (got < 0) return cannot_read(place.path);
  target.resize(static_cast<std::size_t>(got));
  ++files_;
  return writer_.header({place.name, EntryType::kSymlink, 0, 0777, target});
}

Result<void> TreePacker::add_content(const Place& place, int fd, std::uint64_t from, std::uint64_t to) {
  while (from < to) {
    if (stop_.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    const auto wanted = std::min<std::uint64_t>(to - from, block_.size());
    const auto got = ::pread(fd, block_.data(), wanted, static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(place.path);
    if (got == 0) {
      return make_error(ErrorCode::kInputsChanged,
                        text::printable(place.path) + " was cut short while it was being sent");
    }
    OTTO_RETURN_IF_ERROR(writer_.data({block_.data(), static_cast<std::size_t>(got)}));
    from += static_cast<std::uint64_t>(got);
    bytes_ += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<void> TreePacker::add_sparse(const Place& place, int fd, std::uint64_t size) {
  TarHeader header{place.name, EntryType::kFile, size, place.facts.st_mode & kModeBits};
  header.data = data_runs(fd, size);
  OTTO_RETURN_IF_ERROR(writer_.header(header));
  const std::vector<char> zeros(kPackedBlock);
  std::uint64_t at = 0;
  const auto skip_to = [&](std::uint64_t end) -> Result<void> {
    while (at < end) {
      const auto length = std::min<std::uint64_t>(end - at, zeros.size());
      OTTO_RETURN_IF_ERROR(writer_.data({zeros.data(), static_cast<std::size_t>(length)}));
      at += length;
    }
    return {};
  };
  for (const DataRun& run : header.data) {
    OTTO_RETURN_IF_ERROR(skip_to(run.offset));
    OTTO_RETURN_IF_ERROR(add_content(place, fd, run.offset, run.offset + run.length));
    at = run.offset + run.length;
  }
  return skip_to(size);
}

Result<void> settle_length(Fd& file, struct stat& facts, const std::string& path, const std::stop_token& stop) {
  constexpr std::uint64_t kMost = 64 << 20;
  if (facts.st_blocks != 0 || is_sparse(facts)) return {};
  std::vector<char> block(kPackedBlock);
  Fd whole;
  std::uint64_t length = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path);
    if (got == 0) break;
    length += static_cast<std::uint64_t>(got);
    if (length > kMost) {
      return make_error(ErrorCode::kIo, text::printable(path) + " has no length, and goes on after 64 MB",
                        "give what is wanted of it to `otto host … oneshot` on standard input");
    }
    if (!whole.valid()) whole = Fd(::memfd_create("otto", MFD_CLOEXEC));
    for (std::string_view rest(block.data(), static_cast<std::size_t>(got)); !rest.empty();) {
      const ssize_t written = ::write(whole.get(), rest.data(), rest.size());
      if (written < 0 && errno != EINTR) return cannot_read(path);
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  facts.st_size = 0;
  if (!whole.valid()) return {};
  facts.st_size = ::lseek(whole.get(), 0, SEEK_CUR);
  ::lseek(whole.get(), 0, SEEK_SET);
  file = std::move(whole);
  return {};
}

bool is_sparse(const struct stat& facts) {
  constexpr off_t kSmall = 1024 * 1024;
  constexpr off_t kTwiceABlock = 1024;  // blocks are counted in 512 bytes
  return facts.st_size > kSmall && facts.st_blocks * kTwiceABlock < facts.st_size;
}

Survey survey(const std::vector<std::string>& paths, const std::stop_token& stop) {
  namespace fs = std::filesystem;
  constexpr std::uint64_t kBlock = 512;
  Survey found;
  std::error_code failure;
  const auto count = [&](const fs::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    found.bytes += size;
    found.packed += is_sparse(facts) ? static_cast<std::uint64_t>(facts.st_blocks) * kBlock : size;
    found.sparse = found.sparse || is_sparse(facts);
  };
  for (const std::string& path : paths) {
    const fs::path top = fs::canonical(path, failure);
    if (!fs::is_directory(top, failure)) {
      count(top);
      continue;
    }
    constexpr auto kOptions = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator it(top, kOptions, failure), end; !failure && it != end;
         it.increment(failure)) {
      if (stop.stop_requested()) return found;
      count(it->path());
    }
  }
  return found;
}

}  // namespace otto::archive
