// What a stage holds, as text lines the parent itself can merge, and as numbers both sides can compute and compare.
//
// One line an entry, in the order of the paths: a delta's removed and added lines make the parent's new manifest out of
// its old one (comm, sort -m), so that 100,000 lines never travel for one edit. Field separator and escapes are chosen
// so that sorting lines bytewise is sorting paths. Mtimes are no part of it; the rare extra nanosecond ("bump") that
// keeps two contents apart is written beside it. Pure values; must not know files, hosts or scripts.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/context_manifest.h"

namespace otto::stage {

/// A manifest's entries by path, with the directories its paths imply. Borrows the manifest.
class StagedEntries {
 public:
  explicit StagedEntries(const graph::ContextManifest& manifest);
  StagedEntries(const StagedEntries&) = delete;
  StagedEntries& operator=(const StagedEntries&) = delete;

  [[nodiscard]] const std::vector<const graph::ContextEntry*>& sorted() const { return sorted_; }
  [[nodiscard]] const graph::ContextEntry* find(std::string_view path) const;

 private:
  std::vector<const graph::ContextEntry*> sorted_;
  std::deque<graph::ContextEntry> implied_;
};

/// Equal as a stage sees it: type, content or target, permission bits.
bool same_staged(const graph::ContextEntry& a, const graph::ContextEntry& b);
/// Equal but for the permission bits.
bool same_staged_content(const graph::ContextEntry& a, const graph::ContextEntry& b);

/// Bytes 01, 02, tab and newline spelt with two bytes, keeping the order of what is spelt.
std::string escape_field(std::string_view field);
std::optional<std::string> unescape_field(std::string_view field);

/// "PATH 01 TYPE 01 MODE 01 SIZE 01 DIGEST-OR-TARGET \n", fields escaped; a directory's MODE is empty for 0755.
std::string manifest_line(const graph::ContextEntry& entry);
/// The entries of whole lines; nullopt where they are not ours or not sorted. Mtimes come back as 0.
std::optional<graph::ContextManifest> parse_manifest_lines(std::string_view text);
/// SHA-256 of all lines.
graph::Digest manifest_digest(const StagedEntries& entries);
/// SHA-256 of what `otto_stage_list | otto_stage_shape` (stage_script.h) prints where exactly these entries lie: paths,
/// types, modes, sizes, link targets.
graph::Digest shape_digest(const StagedEntries& entries);

/// Extra nanoseconds of staged paths; most stages have none.
using Bumps = std::map<std::string, unsigned>;
std::string bumps_text(const Bumps& bumps);
std::optional<Bumps> parse_bumps(std::string_view text);

/// The source's whole second, within what every file system keeps.
std::int64_t staged_seconds(const graph::ContextEntry& entry);
/// 30 bits of the content's digest (of the target's for a symlink), plus `bump`.
unsigned staged_nanoseconds(const graph::ContextEntry& entry, unsigned bump);

}  // namespace otto::stage
