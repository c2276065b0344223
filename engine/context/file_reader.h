// Reads one file of a context and takes its digests, noticing a writer at work.
//
// A digest counts only for bytes that stood still: stat before, read, stat after, and again where they differ; or one
// stat after, where that says that the file was last changed before the scan began. What is
// known of the file saves work: where its keyed XXH3 is the known one, so is its SHA-256. One reader a thread (it owns
// the buffer); it borrows the key.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "cache/stat_manifest.h"
#include "graph/base/large_vector.h"
#include "graph/base/result.h"
#include "graph/digest.h"

namespace otto::context {

/// What tells that a file is the one seen before.
struct FileStat {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint16_t mode = 0;  ///< permission bits, 07777
  bool operator==(const FileStat&) const = default;
};
FileStat file_stat(const struct stat& status);

struct FileContent {
  FileStat stat;  ///< of the bytes the digests are of
  graph::ChangeDigest change;
  graph::Digest digest;
  std::uint64_t bytes_read = 0;
};

class FileReader {
 public:
  /// `clock_ns`: what the clock said before the scan.
  FileReader(const graph::ChangeKey& key, std::int64_t clock_ns, std::stop_token stop);

  /// Reads `name` in the directory open as `directory`; `path` names it in errors. `seen` is its stat of a moment ago,
  /// `known` what was remembered of it (may be null). nullopt: it is gone. kIo, kInputsChanged, kInterrupted.
  Result<std::optional<FileContent>> read(int directory, const char* name, std::string_view path, const FileStat& seen,
                                          const cache::StatEntry* known);

  /// The same of a file whose stat nobody has taken. `remote`: it lies on a network file system.
  Result<std::optional<FileContent>> read_unseen(int directory, const char* name, std::string_view path, bool remote,
                                                 const cache::StatEntry* known);

 private:
  int open(int directory, const char* name);
  [[nodiscard]] FileContent as_empty(const FileStat& socket) const;
  Result<bool> read_once(int file, const FileStat& before, std::string_view path, const cache::StatEntry* known,
                         FileContent& content);
  Result<bool> read_unseen_once(int file, bool remote, std::string_view path, const cache::StatEntry* known,
                                FileContent& content);
  void digest_small(std::string_view bytes, const cache::StatEntry* known, FileContent& content) const;
  Result<bool> read_small(int file, std::string_view path, const cache::StatEntry* known, FileContent& content);
  Result<bool> read_large(int file, std::string_view path, const cache::StatEntry* known, FileContent& content);
  template <typename Take>
  Result<bool> each_block(int file, std::string_view path, FileContent& content, Take take);

  const graph::ChangeKey& key_;
  const std::int64_t clock_ns_;
  std::stop_token stop_;
  char* buffer(std::size_t size);
  LargeBytes small_, large_;  ///< made when first used
  bool may_hide_ = true;      ///< false once a file was another user's
};

/// The error for a file or directory that could not be opened or read.
Error unreadable(std::string_view what, std::string_view path, int error_number);

}  // namespace otto::context
