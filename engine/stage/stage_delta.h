// The difference between what a stage holds and what it shall hold, as the operations that are sent.
//
// Pure: the whole decision, so that it can be tested without a parent. Must not know the protocol's framing. What need
// not travel whole leaves `send` for a member of its own (stage_reuse.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/stage/stage.h"
#include "engine/stage/stage_chunks.h"
#include "engine/stage/stage_manifest.h"

namespace otto::stage {

/// What lies at a path that is not as it was staged.
struct FoundEntry {
  char type = '-';  ///< 'f', 'd', 'l', 'o' (anything else), '-' nothing
  std::uint64_t size = 0;
  unsigned nanoseconds = 0;
  unsigned mode = 0;  ///< of a directory
};

/// What the stage was left with, and where it is known to differ from that.
struct StageBase {
  graph::ContextManifest manifest;
  Bumps bumps;
  std::map<std::string, FoundEntry> touched;
  std::set<std::string> modes_touched = {};  ///< in place: paths whose modes an unfinished writer may have changed
  bool by_hand = false;                      ///< what differs was changed by somebody, after it was stamped
  bool renaming = false;                     ///< an unfinished writer was about to give the tree another path
};

struct SentEntry {
  const graph::ContextEntry* entry = nullptr;  ///< borrowed from the wanted entries
  unsigned nanoseconds = 0;
};

/// A file made from what another path of the stage held before.
struct ReusedEntry {
  const graph::ContextEntry* entry = nullptr;  ///< borrowed from the wanted entries
  std::string from;
};

/// A large file that the parent puts together from chunks of `source` and from bytes that are sent.
struct Recipe {
  SentEntry sent;
  std::string source;  ///< a path of the stage
  graph::Digest source_digest;
  ChunkList list;  ///< of the new content
  std::vector<ChunkRun> runs;
  std::vector<std::uint64_t> old_offsets;  ///< of the source's chunks
  std::optional<ChunkList> outgrown;       ///< what to keep instead of `list`, where the file has grown much
};

struct StageDelta {
  std::vector<SentEntry> send;     ///< by path: directories come before what is in them
  std::vector<ReusedEntry> moves;  ///< contexts only: the old path's inode gets the new name
  std::vector<ReusedEntry> copies;
  std::vector<Recipe> recipes;
  std::string deletions;  ///< NUL-terminated, in the order to delete; in place each begins with '-', 'd', 'f' or 'x'
                          ///< (delete what is empty; unless a directory; unless a regular file; in any case)
  std::map<unsigned, std::string> modes;            ///< new permission bits -> NUL-terminated paths of files
  std::map<unsigned, std::string> directory_modes;  ///< the same of directories, for when all else is done
  bool new_path = false;      ///< contexts: the tree must have a path that it never had (docs/stage.md, "Identity")
  std::string closed;         ///< a directory that its owner may not list or enter, if there is one
  std::string removed_lines;  ///< of the manifest, sorted
  std::string added_lines;
  std::string bumps;
  graph::Digest manifest;  ///< of the stage's manifest afterwards
  graph::Digest shape;

  [[nodiscard]] bool empty() const {
    return send.empty() && recipes.empty() && moves.empty() && copies.empty() && deletions.empty() && modes.empty() &&
           directory_modes.empty() && !new_path && removed_lines.empty() && added_lines.empty();
  }
};

/// In place, what lies beside the tree and not in it ("../…") is always sent whole.
inline bool lies_beside(std::string_view path) { return path.starts_with("../"); }

/// `reuse`: files whose content the stage has already are not sent.
StageDelta plan_delta(const StageBase& base, const StagedEntries& wanted, StageKind kind, bool reuse = true);

/// Reads the parent's differences (`comm -z` of two listings: lines of the second begin with a tab). False: not ours.
bool read_differences(std::string_view text, std::map<std::string, FoundEntry>& touched);

}  // namespace otto::stage
