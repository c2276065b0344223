#include "engine/archive/tree_unpacker.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::archive {
namespace {

Error refused(const std::string& name, std::string_view why) {
  return make_error(ErrorCode::kIo, fmt::format("the host sent '{}', which {}", text::printable(name), why),
                    "nothing of it was written");
}

/// Without "./" at the front and "/" at the end; "." for the root.
std::string plain(std::string name) {
  while (name.starts_with("./")) name.erase(0, name.find_first_not_of('/', 1));
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name.empty() ? "." : name;
}

bool stays_inside(const std::string& name) {
  if (name.starts_with('/')) return false;
  for (const std::string& part : text::split(name, '/')) {
    if (part == "..") return false;
  }
  return true;
}

Error failed(::archive* handle, std::string_view doing) {
  const char* words = archive_error_string(handle);
  return make_error(ErrorCode::kIo,
                    fmt::format("{}: {}", doing, text::printable(words != nullptr ? words : "out of memory")));
}

}  // namespace

/// libarchive's reader and writer, and the entry between them.
struct TreeUnpacker::Streams {
  const ByteSource& source;
  ::archive* in = archive_read_new();
  ::archive* out = archive_write_disk_new();
  archive_entry* entry = nullptr;

  explicit Streams(const ByteSource& bytes) : source(bytes) {
    OTTO_CHECK(in != nullptr && out != nullptr);
    archive_read_support_format_tar(in);
    archive_read_set_option(in, "tar", "read_concatenated_archives", "1");
    archive_write_disk_set_options(out, ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SPARSE |
                                            ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT);
  }
  ~Streams() {
    archive_read_free(in);
    archive_write_free(out);
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  static la_ssize_t read(::archive*, void* self, const void** bytes) {
    const std::string_view piece = static_cast<Streams*>(self)->source();
    *bytes = piece.data();
    return static_cast<la_ssize_t>(piece.size());
  }
};

TreeUnpacker::TreeUnpacker(std::string folder, MemberPlacer place, Warner warn, std::stop_token stop)
    : folder_(std::move(folder)), place_(std::move(place)), warn_(std::move(warn)), stop_(std::move(stop)) {}

Result<std::string> TreeUnpacker::placed(const std::string& name) {
  if (!stays_inside(name)) return refused(name, "would lie outside of the destination");
  OTTO_TRY(const std::string place, place_(plain(name)));
  if (!stays_inside(place)) return refused(name, "would lie outside of the destination");
  return place == "." ? folder_ : folder_ + "/" + place;
}

Result<void> TreeUnpacker::unpack(const ByteSource& source) {
  Streams streams(source);
  if (archive_read_open(streams.in, &streams, nullptr, &Streams::read, nullptr) != ARCHIVE_OK) {
    return failed(streams.in, "what the host sent is no tar stream");
  }
  for (;;) {
    if (stop_.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    const int status = archive_read_next_header(streams.in, &streams.entry);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) return failed(streams.in, "the tar stream of the host cannot be read");
    OTTO_RETURN_IF_ERROR(member(streams));
  }
  if (archive_write_close(streams.out) < ARCHIVE_WARN) return failed(streams.out, "cannot write");
  return {};
}

Result<void> TreeUnpacker::member(Streams& streams) {
  archive_entry* entry = streams.entry;
  const char* raw = archive_entry_pathname(entry);
  const std::string name = raw != nullptr ? raw : "";
  if (name.empty()) return refused(name, "has no name");
  OTTO_TRY(const std::string path, placed(name));
  if (const char* target = archive_entry_hardlink(entry); target != nullptr) {
    OTTO_TRY(const std::string other, placed(target));
    archive_entry_copy_hardlink(entry, other.c_str());
  }
  const auto type = archive_entry_filetype(entry);
  if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && archive_entry_hardlink(entry) == nullptr) {
    warn_(fmt::format("{} is left out: neither a file, a directory nor a symbolic link", text::printable(name)));
    return {};
  }
  archive_entry_copy_pathname(entry, path.c_str());
  archive_entry_set_perm(entry, archive_entry_perm(entry) & (type == AE_IFDIR ? 01777 : 0777));  // no setuid, as scp
  if (archive_write_header(streams.out, entry) < ARCHIVE_WARN) return failed(streams.out, "cannot write");
  if (type != AE_IFDIR) ++files_;
  OTTO_RETURN_IF_ERROR(content(streams));
  if (archive_write_finish_entry(streams.out) < ARCHIVE_WARN) return failed(streams.out, "cannot write");
  return {};
}

Result<void> TreeUnpacker::content(Streams& streams) {
  for (;;) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(streams.in, &bytes, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status < ARCHIVE_WARN) return failed(streams.in, "the tar stream of the host is cut");
    if (size == 0) continue;
    if (archive_write_data_block(streams.out, bytes, size, offset) < ARCHIVE_WARN) {
      return failed(streams.out, "cannot write");
    }
    bytes_ += size;
  }
}

}  // namespace otto::archive
