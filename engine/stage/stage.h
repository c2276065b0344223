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

#include <string>

#include "engine/parent/facts.h"
#include "engine/parent/staging.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::stage {

using parent::StageKind;
using parent::StageRequest;
using parent::StageState;

/// Makes the stage hold exactly `wanted`. kInputsChanged: a local file is not what the manifest says (rescan). kIo with
/// the parent's words where its disk is full, the directory cannot be used or what lies there is in the way, each with
/// its own hint (stage_failure.h). kConnectionLost, kInterrupted.
/// `first`: sh that comes before all else, and may exit with kStageTurnLost: kInputsChanged.
Result<StageState> bring_stage(transport::Remote& remote, const parent::StageTools& tools, const StageRequest& request,
                               const std::string& first = {});

/// A shell fragment for a build script that runs on the parent: defines the functions
///   otto_stage_enter KEY STAMP   takes the stage's shared lock (fd 9) and checks stamp and signature; on a mismatch
///   prints
///                                "otto-stage-stale" on stderr and exits 75 (EX_TEMPFAIL: stage again)
///   otto_stage_verify            checks the signature once more, with the same consequence
/// and the variable otto_stage_tree (the tree's absolute path).
std::string stage_guard_script(const parent::StageTools& tools);

}  // namespace otto::stage
