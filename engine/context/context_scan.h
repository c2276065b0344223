// Reads a build context: parallel walk, ignore rules, digests, with the stat cache deciding what must be read again.
//
// A warm scan is the directory walk with statx and little else; a file is read only when its stat identity is new.
// Every read takes both digests. Must not know Docker, hosts or SQL: the caller gives the last StatManifest and stores
// the new one. Threads: scan_context() uses its own workers and returns when they are done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cache/stat_manifest.h"
#include "engine/context/ignore_rules.h"
#include "graph/base/result.h"
#include "graph/context_manifest.h"
#include "graph/digest.h"

namespace otto::context {

/// Called now and then from one thread: files seen and bytes read so far.
using ScanProgress = std::function<void(std::uint64_t files, std::uint64_t bytes_read)>;

struct ScanRequest {
  std::filesystem::path root;                  ///< absolute
  const IgnoreRules* rules = nullptr;          ///< borrowed; may be null
  const cache::StatManifest* known = nullptr;  ///< the last scan of this context; may be null
  const graph::ChangeKey* key = nullptr;       ///< the database's secret
  /// Whether FIFOs and sockets are entries, as for the engine, and devices errors; else all of them are left out.
  bool special_files = true;
  unsigned threads = 0;  ///< 0: one a core
  ScanProgress progress;
  std::stop_token stop;
  /// What the clock said before the scan, in ns since 1970; 0: asked for here. Tests of racy timestamps set it.
  std::int64_t clock_ns = 0;
};

struct ScanResult {
  graph::ContextManifest manifest;
  std::string stats;             ///< to remember for the next scan, as stored; empty where `stats_changed` is false
  bool stats_changed = true;     ///< false: all is as in `known`, nothing to store
  std::uint64_t files_read = 0;  ///< files whose bytes were read
  std::uint64_t bytes_read = 0;
};

/// Scans. kConfig where the root is no directory, or for a device, with its path; kIo naming an unreadable file or
/// directory with the remedy (chmod or an ignore rule); kInputsChanged where a file kept changing while it was read;
/// kInterrupted.
Result<ScanResult> scan_context(const ScanRequest& request);

/// The ignore file in force for an image: `<Dockerfile>.dockerignore` beside the Dockerfile if it exists, else
/// `.dockerignore` at the context's root, else none (empty path).
struct IgnoreFile {
  std::filesystem::path path;  ///< empty: none
  std::string text;
};
Result<IgnoreFile> find_ignore_file(const std::filesystem::path& dockerfile, const std::filesystem::path& context);

}  // namespace otto::context
