// Reads files of the local tree that are being sent, and refuses what is not as the manifest says.
//
// Opened without following links; size and SHA-256 are compared, so what is sent is what was fingerprinted or nothing.
// Must not know where the bytes go. An object belongs to one thread; memory is independent of file sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "engine/archive/codec.h"
#include "graph/context_manifest.h"

namespace otto::archive {

/// Where the entry of a path lies on this machine; empty for a symlink that is made for the stage and lies nowhere.
using SourceLocator = std::function<std::filesystem::path(const std::string& path)>;

/// kInputsChanged, naming the path.
Error source_changed(const std::filesystem::path& path, std::string_view how);
/// kInputsChanged or kIo where a symlink does not point where its entry says.
Result<void> check_symlink(const std::filesystem::path& path, const graph::ContextEntry& entry);

class SourceFile {
 public:
  /// kInputsChanged where no regular file of the entry's size is there, kIo where it cannot be opened.
  static Result<SourceFile> open(std::filesystem::path path, const graph::ContextEntry& entry);
  ~SourceFile();
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&&) = delete;

  /// All bytes, in order; kInputsChanged in the end where they have another digest. kInterrupted; the sink's errors.
  Result<void> read(const ByteSink& sink, const std::stop_token& stop);
  /// `size` bytes at `offset` into `bytes`, as they are now.
  Result<void> read_at(std::uint64_t offset, std::size_t size, std::string& bytes);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  SourceFile(int fd, std::filesystem::path path, const graph::ContextEntry& entry)
      : fd_(fd), path_(std::move(path)), entry_(&entry) {}

  int fd_;
  std::filesystem::path path_;
  const graph::ContextEntry* entry_;
};

}  // namespace otto::archive
