// The parent's side of staging: POSIX sh with GNU find, sort, comm and tar, put together from the folder's scripts. The
// protocol is in docs/stage.md.
//
// Kept apart from the client's side so that either can be read against the protocol. Must not know how scripts travel.
#pragma once

#include <string>
#include <string_view>

#include "engine/stage/stage.h"

namespace otto::stage {

/// What a script's exit status says; others are the shell's or a signal's.
enum StageExit : int {
  kStageUnsupported = 69,   ///< the parent lacks a tool
  kStageUnusable = 71,      ///< a directory cannot be used; standard error says why
  kStageBaseMismatch = 72,  ///< the manifest there is not the one the delta was made for; nothing was changed
  kStageTruncated = 73,     ///< input ended early
  kStageNoReuse = 74,       ///< what was to be made from the stage's own files cannot be; send it whole
  kStageFull = 77,          ///< no space or no quota left; what was half written is gone again
  kStageForeign = 78,       ///< in place: what must be written belongs to another account; nothing was changed
  kStageLinked = 79,        ///< a symbolic link where none is followed
  kStageOccupied = 80,      ///< in place: others' files lie where something must make way; nothing was changed
  kStageMeddled = 81,       ///< somebody else writes into the tree
  kStageTurnLost = 83,      ///< another otto has taken the project over; nothing was changed
  kStageClosed = 82,  ///< a directory's mode keeps its owner out, and the account is not root; nothing was changed
};

/// Args: ROOT KEY context|in-place KNOWN-STAMP FRESH-ID zstd|gzip|none normal|force WHO CLAIM.
std::string_view stage_exchange_script(StageKind kind);

/// The functions and checks of the guard, for `root`, which is left in $otto_root.
std::string stage_guard_text(std::string_view root);

/// Makes "$otto_work", a folder of the job's own below the root, which goes with the job. Such folders may hold values
/// that are secrets: those of killed jobs (nobody holds their lock) are removed after an hour. `job`: "build",
/// "compose". Also defines otto_awaited, which runs a command without input and waits for it: a shell sees a signal
/// only between commands, so what may last is awaited like this, and the folder goes at once when the job is to end.
std::string job_folder_text(std::string_view root, std::string_view job);
/// The same, for what only asks: where there is no root yet the folder lies among the machine's temporary files.
std::string scratch_folder_text(std::string_view root, std::string_view job);

}  // namespace otto::stage
