#include "engine/archive/tar_packer.h"

#include "engine/archive/tar_writer.h"

namespace otto::archive {
namespace {

using graph::EntryType;

/// A directory's owner may write in it until all is there.
constexpr unsigned kOwnersBits = 0700;

}  // namespace

struct TarPacker::State {
  SourceLocator locate;
  TarWriter writer;
  std::stop_token stop;

  State(SourceLocator locator, ByteSink sink, std::stop_token token)
      : locate(std::move(locator)), writer(TarFormat::kPax, std::move(sink)), stop(std::move(token)) {}

  Result<void> header(const Member& member, EntryType type, std::uint64_t size, unsigned mode) {
    const std::string target = type == EntryType::kSymlink ? member.entry->target : "";
    return writer.header({member.name, type, size, mode, target, member.seconds, member.nanoseconds});
  }

  Result<void> file(const Member& member) {
    const auto& entry = *member.entry;
    OTTO_TRY(auto file, SourceFile::open(locate(entry.path), entry));
    OTTO_RETURN_IF_ERROR(header(member, EntryType::kFile, entry.size, entry.mode));
    auto packed = [&](std::string_view bytes) {
      if (member.on_content) member.on_content(bytes);
      return writer.data(bytes);
    };
    return file.read(packed, stop);
  }
};

TarPacker::TarPacker(SourceLocator locate, ByteSink sink, std::stop_token stop)
    : state_(std::make_unique<State>(std::move(locate), std::move(sink), std::move(stop))) {}
TarPacker::~TarPacker() = default;

Result<void> TarPacker::add(const Member& member) {
  if (state_->stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  switch (member.entry->type) {
    case EntryType::kFile: return state_->file(member);
    case EntryType::kDirectory:
      return state_->header(member, EntryType::kDirectory, 0, member.entry->mode | kOwnersBits);
    case EntryType::kFifo: return state_->header(member, EntryType::kFifo, 0, member.entry->mode);
    case EntryType::kSymlink:
      if (const auto path = state_->locate(member.entry->path); !path.empty())
        OTTO_RETURN_IF_ERROR(check_symlink(path, *member.entry));
      return state_->header(member, EntryType::kSymlink, 0, 0777);
  }
  return {};
}

Result<void> TarPacker::add_link(const std::string& name, const std::string& target) {
  return state_->writer.link(name, target);
}

Result<void> TarPacker::add_data(const std::string& name, std::string_view bytes) {
  OTTO_RETURN_IF_ERROR(state_->header({name, nullptr, 0, 0, {}}, EntryType::kFile, bytes.size(), 0600));
  return bytes.empty() ? Result<void>() : state_->writer.data(bytes);
}

Result<void> TarPacker::finish() { return state_->writer.finish(); }

}  // namespace otto::archive
