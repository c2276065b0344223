// Brings a parent's copy of a tree (the stage) to a wanted manifest by sending the difference, and proves it is there.
//
// The protocol is in docs/stage.md. One job on the parent holds the stage's lock for the whole exchange: it reports
// what the stage holds, receives one tar stream of changed entries and deletions, applies it, and puts back the stamp.
// Bytes are hashed as they are packed, so a file that changed since the scan gives kInputsChanged (the caller scans
// again), never a wrong stage. The stamp goes before the first write and comes back after the last: a stage without a
// stamp, or with a signature that does not match what lies there, is repaired. A staged file's mtime is the source's
// whole second plus nanoseconds taken from its content's digest, because the engine believes (size, mtime): a staged
// path never shows the same pair for two contents. Must not know images, Dockerfiles or compose. Threads: one call at a
// time for one stage within this process is the caller's duty; other processes and users are kept out by the lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/parent/facts.h"
#include "engine/parent/lock_holder.h"
#include "graph/base/result.h"
#include "graph/context_manifest.h"
#include "transport/remote.h"

namespace otto::stage {

/// How a stage's tree may be changed.
enum class StageKind {
  kContext,  ///< a build context: files are replaced, everything not in the manifest is removed, verified before use
  kInPlace,  ///< compose files and bind mounts: written in place (a mounted file keeps its inode); only what otto
             ///< itself staged is ever removed; what containers wrote there is never touched
};

struct StageRequest {
  std::string key;  ///< names the stage: [a-z0-9._-]+
  StageKind kind = StageKind::kContext;
  std::filesystem::path source;  ///< local root of the tree
  /// Where an entry lies if not at source / path (stacks collect files from several places); empty: always there.
  std::function<std::filesystem::path(const std::string& path)> locate;
  const graph::ContextManifest* wanted = nullptr;  ///< borrowed
  std::string tree_link;  ///< in place: a path relative to the stage's directory where a link to the tree is kept
  /// Sees what the stage holds, and its stamp, before anything is sent; an error ends the exchange, and changes
  /// nothing. Called on a thread of the call's own; may be empty.
  std::function<Result<void>(const graph::ContextManifest& held, const std::string& stamp)> look;
  /// What this client believes the stage holds and the stamp it saw; absent: ask the parent for its manifest.
  std::optional<graph::ContextManifest> believed;
  std::string believed_stamp;
  /// Called on a thread of the call's own while bytes are sent.
  std::function<void(std::uint64_t sent, std::uint64_t total_estimate)> progress;
  /// Called once where another otto has the stage; may be empty.
  std::function<void(const parent::LockHolder& holder)> waiting;
  std::stop_token stop;
};

struct StageState {
  std::string directory;             ///< absolute path of the tree on the parent
  std::string stamp;                 ///< names generation and content; any writer changes it
  std::uint64_t uploaded_bytes = 0;  ///< on the wire, payload of the tar stream as sent
  std::uint64_t uploaded_files = 0;
  bool repaired = false;  ///< the stage had been edited by hand; what otto itself left unfinished is not told
};

/// Makes the stage hold exactly `wanted`. kInputsChanged: a local file is not what the manifest says (rescan). kIo with
/// the parent's words where its disk is full, the directory cannot be used or what lies there is in the way, each with
/// its own hint (stage_failure.h). kConnectionLost, kInterrupted.
Result<StageState> bring_stage(transport::Remote& remote, const parent::StageTools& tools, const StageRequest& request);

/// A shell fragment for a build script that runs on the parent: defines the functions
///   otto_stage_enter KEY STAMP   takes the stage's shared lock (fd 9) and checks stamp and signature; on a mismatch
///   prints
///                                "otto-stage-stale" on stderr and exits 75 (EX_TEMPFAIL: stage again)
///   otto_stage_verify            checks the signature once more, with the same consequence
/// and the variable otto_stage_tree (the tree's absolute path).
std::string stage_guard_script(const parent::StageTools& tools);

}  // namespace otto::stage
