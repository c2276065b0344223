// The difference between what a stage holds and what it shall hold, as the operations that are sent.
//
// Pure: the whole decision, so that it can be tested without a parent. Must not know the protocol's framing. New ways
// to save bytes (copies of renamed files, recipes of chunks) belong here as further members beside `send`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/docker/stage.h"
#include "engine/docker/stage_manifest.h"

namespace otto::docker {

/// What lies at a path that is not as it was staged.
struct FoundEntry {
  char type = '-';  ///< 'f', 'd', 'l', 'o' (anything else), '-' nothing
  std::uint64_t size = 0;
  unsigned nanoseconds = 0;
};

/// What the stage was left with, and where it is known to differ from that.
struct StageBase {
  graph::ContextManifest manifest;
  Bumps bumps;
  std::map<std::string, FoundEntry> touched;
};

struct SentEntry {
  const graph::ContextEntry* entry = nullptr;  ///< borrowed from the wanted entries
  unsigned nanoseconds = 0;
};

struct StageDelta {
  std::vector<SentEntry> send;  ///< by path: directories come before what is in them
  std::string deletions;        ///< NUL-terminated, in the order to delete; in place each begins with '-', 'd' or 'f'
                                ///< (delete; unless a directory; unless a regular file)
  std::map<unsigned, std::string> modes;  ///< new permission bits -> NUL-terminated paths
  std::string removed_lines;              ///< of the manifest, sorted
  std::string added_lines;
  std::string bumps;
  graph::Digest manifest;  ///< of the stage's manifest afterwards
  graph::Digest shape;

  [[nodiscard]] bool empty() const {
    return send.empty() && deletions.empty() && modes.empty() && removed_lines.empty() && added_lines.empty();
  }
};

StageDelta plan_delta(const StageBase& base, const StagedEntries& wanted, StageKind kind);

/// Reads the parent's differences (`comm -z` of two listings: lines of the second begin with a tab). False: not ours.
bool read_differences(std::string_view text, std::map<std::string, FoundEntry>& touched);

}  // namespace otto::docker
