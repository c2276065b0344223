// A build context as identity sees it: the bytewise sorted list of its entries, and its hash.
//
// What counts is what lands in the image: path, type, permission bits of files and directories, content digest or link
// target; empty directories count; mtimes and owners do not. Must not know where the files are or how they were read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/base/arena.h"
#include "graph/base/compact_text.h"
#include "graph/base/large_vector.h"
#include "graph/digest.h"

namespace otto::graph {

enum class EntryType : std::uint8_t { kFile, kDirectory, kSymlink, kFifo };

/// What a directory's permission bits are where nobody changed them: only others are spelt out.
inline constexpr std::uint16_t kUsualDirectoryMode = 0755;

struct ContextEntry {
  CompactText path;  ///< relative to the context root, '/'-separated, any bytes but NUL
  EntryType type = EntryType::kFile;
  std::uint16_t mode = 0;    ///< permission bits, 07777
  std::uint64_t size = 0;    ///< bytes of a file, else 0
  std::int64_t mtime_s = 0;  ///< whole seconds of a file's mtime: no input of the hash, carried to the stage
  Digest digest;             ///< of a file's content
  CompactText target;        ///< of a symlink

  /// Equal as identity sees it.
  [[nodiscard]] bool same_content(const ContextEntry& other) const;
  /// Equal but for the permission bits.
  [[nodiscard]] bool same_but_for_mode(const ContextEntry& other) const;
};

/// A million entries stay cheap: their texts may lie in `texts`, which an entry that is moved out needs for ever.
struct ContextManifest {
  ContextManifest() = default;
  ContextManifest(LargeVector<ContextEntry> sorted)
      : entries(std::move(sorted)) {}  // NOLINT(google-explicit-constructor)
  /// The copy's entries own their texts.
  ContextManifest(const ContextManifest& other) : entries(other.entries) {}
  ContextManifest(ContextManifest&&) = default;
  ContextManifest& operator=(const ContextManifest& other) { return *this = ContextManifest(other); }
  ContextManifest& operator=(ContextManifest&&) = default;
  ~ContextManifest() = default;

  LargeVector<ContextEntry> entries;  ///< sorted by path, bytewise
  Arena texts;                        ///< of entries that were made in it

  /// SHA-256 of the canonical encoding (docs/fingerprint.md, "context").
  [[nodiscard]] Digest hash() const;
  [[nodiscard]] const ContextEntry* find(std::string_view path) const;
};

/// What distinguishes two manifests, by path, sorted.
struct ManifestDiff {
  std::vector<std::string> added, removed, changed, mode_changed;
  [[nodiscard]] bool empty() const {
    return added.empty() && removed.empty() && changed.empty() && mode_changed.empty();
  }
};
ManifestDiff diff(const ContextManifest& before, const ContextManifest& after);

/// A line-free, length-prefixed text form for stages and the database, and back (nullopt: not a manifest of this
/// version).
std::string serialize(const ContextManifest& manifest);
std::optional<ContextManifest> parse_manifest(std::string_view bytes);

}  // namespace otto::graph
