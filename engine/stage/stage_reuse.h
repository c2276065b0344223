// Finds, for the files of a delta, the same content in the stage as it is: renamed and copied files do not travel.
//
// A context's tree is verified, so a file whose old path goes is linked to its new one and keeps its inode, and others
// are copied: a tree with two names for one inode would reach the engine as hard links. In place nothing is verified
// and containers may hold a file open, so all are copied, and the copies' digests are checked on the parent
// (docs/stage.md). Pure. Must not know the protocol's framing.
#pragma once

#include "engine/stage/stage_delta.h"

namespace otto::stage {

/// Moves files from `delta.send` to `delta.moves` and `delta.copies` where an untouched path of the stage has their
/// content, and where that path's mtime would not lie about the new one.
void reuse_staged(const StageBase& base, const StagedEntries& before, const StagedEntries& wanted, StageKind kind,
                  StageDelta& delta);

/// SHA-256 of what the parent prints for the copies (docs/stage.md, "Reuse"): by path, digest and path of each.
graph::Digest copies_digest(const std::vector<ReusedEntry>& copies);

}  // namespace otto::stage
