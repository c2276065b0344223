// One scan at work: a parallel walk (scanner_walk.cc) that finds what must be read, and reads it (scanner_read.cc).
// context_scan.cc runs it and makes its result. For these three files only.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/context/context_scan.h"
#include "engine/context/directory_reader.h"
#include "engine/context/file_reader.h"
#include "engine/context/racy_clock.h"
#include "engine/context/scan_tree.h"
#include "engine/context/work_queue.h"
#include "graph/base/sync.h"

namespace otto::context {

struct ScanTask {
  enum class Kind { kList, kStat, kRead };
  Directory* directory = nullptr;
  Kind kind = Kind::kList;
  std::uint32_t first = 0, last = 0;
  std::uint64_t bytes = 0;  ///< to be read, of files whose sizes are known
};

/// What one thread needs for itself, most of it used anew for each directory.
struct ScanWorker {
  FileReader reader;
  DirectoryOpener opener;
  DirectoryPool* pool = nullptr;
  ListingBuffer listing = {};
  std::string path = {}, names = {};
  std::vector<SeenEntry> entries = {};
  std::vector<FileStat> stats = {};
  std::vector<SortKey> keys = {};
  std::vector<Directory*> children = {};
  std::vector<std::uint32_t> to_read = {};
  std::vector<ScanTask> tasks = {};
};

class Scanner {
 public:
  Scanner(const ScanRequest& request, int root)
      : request_(request),
        root_(root),
        known_(request.known != nullptr ? *request.known : none_),
        clock_ns_(request.clock_ns != 0 ? request.clock_ns : file_clock_ns()) {}

  Result<ScanResult> run();

 private:
  // context_scan.cc
  void work_alone();
  void work_together();
  void work();
  void run_task(const ScanTask& task, ScanWorker& worker);
  [[nodiscard]] ScanWorker new_worker() const {
    return {FileReader(*request_.key, clock_ns_, request_.stop), DirectoryOpener(root_)};
  }
  [[nodiscard]] unsigned threads() const;
  Result<void> perform(const ScanTask& task, ScanWorker& worker);
  void collect(ScanResult& result);

  // scanner_walk.cc
  Result<void> list(Directory& directory, ScanWorker& worker);
  DirectoryPool& pool_of(ScanWorker& worker);
  void found(Directory& directory, std::string_view name, ListedType type, ScanWorker& worker);
  Result<void> stat(Directory& directory, int fd, std::uint32_t first, std::uint32_t last, ScanWorker& worker);
  Result<void> stat_entry(Directory& directory, int fd, SeenEntry& entry, FileStat& stat, ScanWorker& worker);
  Result<void> special_entry(mode_t mode, std::string_view path, SeenEntry& entry) const;
  void settle(Directory& directory, std::span<const FileStat> stats, ScanWorker& worker);
  Directory* add_child(Directory& directory, std::uint32_t index, std::size_t known_begin, std::size_t known_end);
  Result<void> cannot_list(Directory& directory, int error);
  Result<void> lost(Directory& directory, int error);
  std::string_view path_in(Directory& directory, std::string_view name, std::string& scratch) const;

  // scanner_read.cc
  [[nodiscard]] std::uint64_t mean_size() const;
  [[nodiscard]] bool expects_reading(const Directory& directory) const;
  void decide_reads(Directory& directory, std::span<const FileStat> stats, ScanWorker& worker);
  Result<void> read(Directory& directory, std::uint32_t first, std::uint32_t last, ScanWorker& worker);
  Result<void> read_entry(Directory& directory, int fd, SeenEntry& entry, ScanWorker& worker);
  Result<void> read_target(Directory& directory, int fd, SeenEntry& entry, ScanWorker& worker);
  [[nodiscard]] bool is_as_known(const Directory& directory, const SeenEntry& entry) const;

  const ScanRequest& request_;
  const int root_;
  const cache::StatManifest none_;
  const cache::StatManifest& known_;
  const std::int64_t clock_ns_;
  ScanTree tree_;
  WorkQueue<ScanTask> queue_;
  Sync<std::optional<Error>> error_;
  std::atomic<std::uint32_t> judged_{0}, changed_{0};  ///< files that were known, and of those the changed
  std::atomic<std::uint64_t> files_seen_{0}, files_read_{0}, bytes_read_{0};
};

}  // namespace otto::context
