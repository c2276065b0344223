#include "engine/archive/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace otto::archive {

using graph::EntryType;

struct TarWriter::State {
  ByteSink sink;
  ::archive* handle = archive_write_new();
  std::optional<Error> failed;
  bool abandoned = false;

  ~State() {
    abandoned = true;  // freeing writes the end of the archive: to nobody
    archive_write_free(handle);
  }

  static la_ssize_t take(::archive*, void* self, const void* bytes, std::size_t size) {
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
};

TarWriter::TarWriter(TarFormat format, ByteSink sink) : state_(std::make_unique<State>()) {
  constexpr int kBlock = 64 * 1024;
  state_->sink = std::move(sink);
  ::archive* handle = state_->handle;
  OTTO_CHECK(handle != nullptr);
  if (format == TarFormat::kPax) {
    archive_write_set_format_pax(handle);
    OTTO_CHECK(archive_write_set_format_option(handle, "pax", "hdrcharset", "BINARY") == ARCHIVE_OK);
  } else {
    archive_write_set_format_gnutar(handle);
  }
  archive_write_set_bytes_per_block(handle, kBlock);
  archive_write_set_bytes_in_last_block(handle, 1);
  OTTO_CHECK(archive_write_open(handle, state_.get(), nullptr, &State::take, nullptr) == ARCHIVE_OK);
}
TarWriter::~TarWriter() = default;

Result<void> TarWriter::header(const TarHeader& header) {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> head(archive_entry_new2(state_->handle),
                                                                      &archive_entry_free);
  OTTO_CHECK(head != nullptr);
  archive_entry_copy_pathname(head.get(), header.name.c_str());
  archive_entry_set_mtime(head.get(), header.seconds, static_cast<long>(header.nanoseconds));
  archive_entry_set_size(head.get(), static_cast<la_int64_t>(header.size));
  archive_entry_set_perm(head.get(), static_cast<mode_t>(header.mode));
  for (const DataRun& run : header.data) {
    archive_entry_sparse_add_entry(head.get(), static_cast<la_int64_t>(run.offset),
                                   static_cast<la_int64_t>(run.length));
  }
  switch (header.type) {
    case EntryType::kFile: archive_entry_set_filetype(head.get(), AE_IFREG); break;
    case EntryType::kFifo: archive_entry_set_filetype(head.get(), AE_IFIFO); break;
    case EntryType::kDirectory: archive_entry_set_filetype(head.get(), AE_IFDIR); break;
    case EntryType::kSymlink:
      archive_entry_set_filetype(head.get(), AE_IFLNK);
      archive_entry_copy_symlink(head.get(), header.target.c_str());
      break;
  }
  return state_->check(archive_write_header(state_->handle, head.get()));
}

Result<void> TarWriter::data(std::string_view bytes) {
  return state_->check(archive_write_data(state_->handle, bytes.data(), bytes.size()));
}

Result<void> TarWriter::link(const std::string& name, const std::string& target) {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> head(archive_entry_new2(state_->handle),
                                                                      &archive_entry_free);
  OTTO_CHECK(head != nullptr);
  archive_entry_copy_pathname(head.get(), name.c_str());
  archive_entry_copy_hardlink(head.get(), target.c_str());
  archive_entry_set_filetype(head.get(), AE_IFREG);
  archive_entry_set_perm(head.get(), 0600);
  return state_->check(archive_write_header(state_->handle, head.get()));
}

Result<void> TarWriter::finish() { return state_->check(archive_write_close(state_->handle)); }

}  // namespace otto::archive
