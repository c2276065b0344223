#include "engine/docker/tar_packer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "graph/base/text.h"

namespace otto::docker {
namespace {

using graph::ContextEntry;
using graph::EntryType;

constexpr std::size_t kReadBlock = 256 * 1024;
constexpr unsigned kDirectoryMode = 0755;

Error changed(const std::filesystem::path& path, std::string_view how) {
  return make_error(ErrorCode::kInputsChanged,
                    fmt::format("{} {} while it was being sent", text::printable(path.native()), how),
                    "run the command again when nothing writes to it");
}

/// What an errno of opening or reading a source path means: gone and replaced are changes, the rest is trouble.
Error unreadable(const std::filesystem::path& path, int number) {
  if (number == ENOENT || number == ENOTDIR || number == ELOOP || number == EINVAL || number == ENXIO)
    return changed(path, "was removed or replaced");
  return make_error(ErrorCode::kIo,
                    fmt::format("cannot read {}: {}", text::printable(path.native()), std::strerror(number)),
                    "make it readable, or leave it out with an ignore rule");
}

class SourceFile {
 public:
  explicit SourceFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~SourceFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

/// Checks that a symlink still points where its entry says.
Result<void> check_symlink(const std::filesystem::path& path, const ContextEntry& entry) {
  std::vector<char> target(entry.target.size() + 2);
  auto size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return unreadable(path, errno);
  if (std::string_view(target.data(), static_cast<std::size_t>(size)) != entry.target)
    return changed(path, "was pointed elsewhere");
  return {};
}

}  // namespace

struct TarPacker::State {
  SourceLocator locate;
  ByteSink sink;
  std::stop_token stop;
  archive* handle = archive_write_new();
  std::optional<Error> failed;
  bool abandoned = false;
  std::vector<char> block = std::vector<char>(kReadBlock);

  ~State() {
    abandoned = true;  // freeing writes the end of the archive: to nobody
    archive_write_free(handle);
  }

  static la_ssize_t take(archive*, void* self, const void* bytes, std::size_t size) {
    // Trouble is kept for check(): libarchive leaks its buffer once a writer has told it so.
    auto& state = *static_cast<State*>(self);
    if (state.failed || state.abandoned) return static_cast<la_ssize_t>(size);
    if (auto taken = state.sink({static_cast<const char*>(bytes), size}); !taken) {
      state.failed = std::move(taken).error();
    }
    return static_cast<la_ssize_t>(size);
  }

  Result<void> check(la_ssize_t status) {
    if (failed) return *failed;
    if (status >= ARCHIVE_OK || status == ARCHIVE_WARN) return {};
    const char* words = archive_error_string(handle);
    return make_error(ErrorCode::kIo, fmt::format("cannot pack: {}", words != nullptr ? words : "out of memory"));
  }

  Result<void> header(const Member& member, EntryType type, std::uint64_t size, unsigned mode) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> head(archive_entry_new2(handle), &archive_entry_free);
    OTTO_CHECK(head != nullptr);
    archive_entry_copy_pathname(head.get(), member.name.c_str());
    archive_entry_set_mtime(head.get(), member.seconds, static_cast<long>(member.nanoseconds));
    archive_entry_set_size(head.get(), static_cast<la_int64_t>(size));
    archive_entry_set_perm(head.get(), static_cast<mode_t>(mode));
    switch (type) {
      case EntryType::kFile: archive_entry_set_filetype(head.get(), AE_IFREG); break;
      case EntryType::kDirectory: archive_entry_set_filetype(head.get(), AE_IFDIR); break;
      case EntryType::kSymlink:
        archive_entry_set_filetype(head.get(), AE_IFLNK);
        archive_entry_copy_symlink(head.get(), member.entry->target.c_str());
        break;
    }
    return check(archive_write_header(handle, head.get()));
  }

  Result<void> file(const Member& member) {
    const auto& entry = *member.entry;
    const auto path = locate(entry.path);
    SourceFile file(path);
    if (file.fd() < 0) return unreadable(path, errno);
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return unreadable(path, errno);
    if (!S_ISREG(facts.st_mode)) return changed(path, "was replaced");
    if (static_cast<std::uint64_t>(facts.st_size) != entry.size) return changed(path, "changed its size");
    OTTO_RETURN_IF_ERROR(header(member, EntryType::kFile, entry.size, entry.mode));
    return content(file.fd(), path, entry);
  }

  Result<void> content(int fd, const std::filesystem::path& path, const ContextEntry& entry) {
    graph::Sha256 hasher;
    std::uint64_t left = entry.size;
    while (left > 0) {
      if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
      auto size = ::read(fd, block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size())));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return unreadable(path, errno);
      if (size == 0) return changed(path, "was cut short");
      std::string_view bytes(block.data(), static_cast<std::size_t>(size));
      hasher.update(bytes);
      OTTO_RETURN_IF_ERROR(check(archive_write_data(handle, bytes.data(), bytes.size())));
      left -= bytes.size();
    }
    if (hasher.finish() != entry.digest) return changed(path, "changed");
    return {};
  }
};

TarPacker::TarPacker(SourceLocator locate, ByteSink sink, std::stop_token stop) : state_(std::make_unique<State>()) {
  state_->locate = std::move(locate);
  state_->sink = std::move(sink);
  state_->stop = std::move(stop);
  OTTO_CHECK(state_->handle != nullptr);
  archive_write_set_format_pax(state_->handle);
  OTTO_CHECK(archive_write_set_format_option(state_->handle, "pax", "hdrcharset", "BINARY") == ARCHIVE_OK);
  OTTO_CHECK(archive_write_open(state_->handle, state_.get(), nullptr, &State::take, nullptr) == ARCHIVE_OK);
}
TarPacker::~TarPacker() = default;

Result<void> TarPacker::add(const Member& member) {
  if (state_->stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  switch (member.entry->type) {
    case EntryType::kFile: return state_->file(member);
    case EntryType::kDirectory: return state_->header(member, EntryType::kDirectory, 0, kDirectoryMode);
    case EntryType::kSymlink:
      OTTO_RETURN_IF_ERROR(check_symlink(state_->locate(member.entry->path), *member.entry));
      return state_->header(member, EntryType::kSymlink, 0, 0777);
  }
  return {};
}

Result<void> TarPacker::add_mark(const std::string& name) {
  return state_->header({name, nullptr, 0, 0}, EntryType::kFile, 0, 0600);
}

Result<void> TarPacker::finish() { return state_->check(archive_write_close(state_->handle)); }

}  // namespace otto::docker
