// What the last scan of a context saw of each file and symlink: stat identity and both digests. One context is one
// blob, one row. Directories have nothing to remember: they are read every time.
//
// The stat identity is (device, inode, size, mtime ns, ctime ns, mode). An entry whose ctime was too near to the moment
// of the scan is `racy`: the file could have been written again within the clock's granularity without a trace in its
// stat, so its digest is not trusted next time (git's "racily clean"). Values only; must not know SQL or how scanning
// is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/arena.h"
#include "graph/base/compact_text.h"
#include "graph/base/large_vector.h"
#include "graph/context_manifest.h"
#include "graph/digest.h"

namespace otto::cache {

struct StatEntry {
  std::string_view path;  ///< borrowed, as a rule from its manifest's texts
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  graph::ChangeDigest change;  ///< of a file's content, keyed
  graph::Digest digest;        ///< of a file's content
  CompactText target;          ///< of a symlink
  std::uint16_t mode = 0;
  graph::EntryType type = graph::EntryType::kFile;
  bool racy = false;
  bool operator==(const StatEntry&) const = default;
};

/// A million files stay cheap: paths are packed, and few entries are symlinks. Moves only.
struct StatManifest {
  LargeVector<StatEntry> entries;  ///< sorted by path, bytewise
  Arena texts;
};

/// Makes the stored form, entry by entry in their order: binary, little-endian, paths sharing their predecessor's head:
/// about 90 bytes an entry.
class StatWriter {
 public:
  explicit StatWriter(std::size_t entries);
  void add(const StatEntry& entry);
  /// All entries have been added.
  std::string finish() &&;

 private:
  std::string out_;
  std::string path_before_;
  std::uint64_t device_before_ = 0;
};

std::string serialize(const StatManifest& manifest);
/// nullopt: not a manifest of this version, or damaged (it carries a checksum).
std::optional<StatManifest> parse_stat_manifest(std::string_view bytes);

}  // namespace otto::cache
