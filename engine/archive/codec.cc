#include "engine/archive/codec.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <optional>

namespace otto::archive {
namespace {

constexpr int kBlock = 64 * 1024;

Error archive_failure(::archive* handle, std::string_view what) {
  const char* words = archive_error_string(handle);
  return make_error(ErrorCode::kIo, fmt::format("cannot {}: {}", what, words != nullptr ? words : "out of memory"));
}

}  // namespace

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kNone: return "none";
    case Codec::kGzip: return "gzip";
    case Codec::kZstd: return "zstd";
  }
  return "none";
}

struct Compressor::State {
  ByteSink sink;
  ::archive* handle = nullptr;  // null: bytes pass as they are
  std::optional<Error> failed;

  ~State() {
    if (handle != nullptr) archive_write_fail(handle);
    archive_write_free(handle);
  }

  static la_ssize_t take(::archive*, void* self, const void* bytes, std::size_t size) {
    auto& state = *static_cast<State*>(self);
    if (state.failed) return -1;
    if (auto taken = state.sink({static_cast<const char*>(bytes), size}); !taken) {
      state.failed = std::move(taken).error();
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  Error failure() { return failed ? *failed : archive_failure(handle, "compress"); }

  void open(Codec codec) {
    handle = archive_write_new();
    OTTO_CHECK(handle != nullptr);
    int status = codec == Codec::kZstd ? archive_write_add_filter_zstd(handle) : archive_write_add_filter_gzip(handle);
    OTTO_CHECK(status == ARCHIVE_OK);
    archive_write_set_filter_option(handle, nullptr, "compression-level", "1");
    archive_write_set_format_raw(handle);
    archive_write_set_bytes_per_block(handle, kBlock);
    archive_write_set_bytes_in_last_block(handle, 1);
    OTTO_CHECK(archive_write_open(handle, this, nullptr, &State::take, nullptr) == ARCHIVE_OK);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, "data");
    archive_entry_set_filetype(entry, AE_IFREG);
    int written = archive_write_header(handle, entry);
    archive_entry_free(entry);
    OTTO_CHECK(written == ARCHIVE_OK || failed);
  }
};

Compressor::Compressor(Codec codec, ByteSink sink) : state_(std::make_unique<State>()) {
  state_->sink = std::move(sink);
  if (codec != Codec::kNone) state_->open(codec);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

Result<void> Compressor::write(std::string_view bytes) {
  if (state_->handle == nullptr) return state_->sink(bytes);
  if (state_->failed) return *state_->failed;
  if (bytes.empty()) return {};
  auto written = archive_write_data(state_->handle, bytes.data(), bytes.size());
  if (written < 0 || static_cast<std::size_t>(written) != bytes.size() || state_->failed) return state_->failure();
  return {};
}

Result<void> Compressor::finish() {
  if (state_->handle == nullptr) return {};
  if (archive_write_close(state_->handle) != ARCHIVE_OK || state_->failed) return state_->failure();
  return {};
}

Result<std::string> decompress(std::string_view bytes, std::uint64_t limit) {
  std::unique_ptr<::archive, int (*)(::archive*)> handle(archive_read_new(), &archive_read_free);
  OTTO_CHECK(handle != nullptr);
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_filter_zstd(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
      archive_read_next_header(handle.get(), &entry) != ARCHIVE_OK)
    return archive_failure(handle.get(), "decompress");
  std::string plain;
  std::string block(kBlock, '\0');
  for (;;) {
    auto size = archive_read_data(handle.get(), block.data(), block.size());
    if (size < 0) return archive_failure(handle.get(), "decompress");
    if (size == 0) return plain;
    if (plain.size() + static_cast<std::size_t>(size) > limit)
      return make_error(ErrorCode::kIo, fmt::format("cannot decompress: more than {} bytes", limit));
    plain.append(block, 0, static_cast<std::size_t>(size));
  }
}

}  // namespace otto::archive
