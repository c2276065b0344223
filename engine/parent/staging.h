// What a parent is asked to keep a copy of, a stage, and what came of it (engine/stage does it).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/parent/lock_holder.h"
#include "engine/parent/project_lock.h"
#include "graph/base/result.h"
#include "graph/context_manifest.h"

namespace otto::parent {

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
  std::optional<TurnOf> turn;  ///< in place: of the project whose files they are; where it is lost nothing is changed
  std::string tree_link;       ///< in place: a path relative to the stage's directory where a link to the tree is kept
  /// Sees what the stage holds, and its stamp, before anything is sent; an error ends the exchange, and changes
  /// nothing. Called on a thread of the call's own; may be empty.
  std::function<Result<void>(const graph::ContextManifest& held, const std::string& stamp)> look;
  /// What this client believes the stage holds and the stamp it saw; absent: ask the parent for its manifest.
  std::optional<graph::ContextManifest> believed;
  std::string believed_stamp;
  /// Called on a thread of the call's own while bytes are sent.
  std::function<void(std::uint64_t sent, std::uint64_t total_estimate)> progress;
  /// Called once where another otto has the stage; may be empty.
  std::function<void(const LockHolder& holder)> waiting;
  std::stop_token stop;
};

struct StageState {
  std::string directory;             ///< absolute path of the tree on the parent
  std::string stamp;                 ///< names generation and content; any writer changes it
  std::uint64_t uploaded_bytes = 0;  ///< on the wire, payload of the tar stream as sent
  std::uint64_t uploaded_files = 0;
  bool repaired = false;  ///< the stage had been edited by hand; what otto itself left unfinished is not told
};

}  // namespace otto::parent
