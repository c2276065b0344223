#include "engine/docker/tar_packer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <optional>

namespace otto::docker {
namespace {

using graph::EntryType;

constexpr unsigned kDirectoryMode = 0755;

}  // namespace

struct TarPacker::State {
  SourceLocator locate;
  ByteSink sink;
  std::stop_token stop;
  archive* handle = archive_write_new();
  std::optional<Error> failed;
  bool abandoned = false;

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

  Result<void> link(const std::string& name, const std::string& target) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> head(archive_entry_new2(handle), &archive_entry_free);
    OTTO_CHECK(head != nullptr);
    archive_entry_copy_pathname(head.get(), name.c_str());
    archive_entry_copy_hardlink(head.get(), target.c_str());
    archive_entry_set_filetype(head.get(), AE_IFREG);
    archive_entry_set_perm(head.get(), 0600);
    return check(archive_write_header(handle, head.get()));
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
    OTTO_TRY(auto file, SourceFile::open(locate(entry.path), entry));
    OTTO_RETURN_IF_ERROR(header(member, EntryType::kFile, entry.size, entry.mode));
    auto packed = [&](std::string_view bytes) {
      if (member.on_content) member.on_content(bytes);
      return write(bytes);
    };
    return file.read(packed, stop);
  }

  Result<void> write(std::string_view bytes) { return check(archive_write_data(handle, bytes.data(), bytes.size())); }
};

TarPacker::TarPacker(SourceLocator locate, ByteSink sink, std::stop_token stop) : state_(std::make_unique<State>()) {
  state_->locate = std::move(locate);
  state_->sink = std::move(sink);
  state_->stop = std::move(stop);
  OTTO_CHECK(state_->handle != nullptr);
  archive_write_set_format_pax(state_->handle);
  archive_write_set_bytes_in_last_block(state_->handle, 1);  // else ten kilobytes at least
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

Result<void> TarPacker::add_link(const std::string& name, const std::string& target) {
  return state_->link(name, target);
}

Result<void> TarPacker::add_data(const std::string& name, std::string_view bytes) {
  OTTO_RETURN_IF_ERROR(state_->header({name, nullptr, 0, 0, {}}, EntryType::kFile, bytes.size(), 0600));
  return bytes.empty() ? Result<void>() : state_->write(bytes);
}

Result<void> TarPacker::finish() { return state_->check(archive_write_close(state_->handle)); }

}  // namespace otto::docker
