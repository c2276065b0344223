// A compose project on a parent belongs to one otto at a time, from the plan to the last change.
//
// A new holder also waits until jobs of the last one that change something have ended: after a lost cable Compose runs
// on until the heartbeat, though its holder is gone. Beside the lock lie two notes: `generation`, which every holder
// changes when it begins and when it ends, so that whoever was told another one by the probe, or one that is still
// open, plans anew; and `doomed`, the ids of containers that are about to be replaced or stopped, so that after a cut
// nobody takes one that has had its SIGTERM for a healthy one. Both only save questions or say what is in doubt:
// without them nothing is wrong that a name or a state shows.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/parent/lock_holder.h"
#include "graph/base/result.h"

namespace otto::parent {

/// A turn at a project, for what may be done in it only.
struct TurnOf {
  std::string project;
  std::string token;  ///< ProjectLock::token
};

class ProjectLock {
 public:
  /// Gives it back and waits until that is done.
  virtual ~ProjectLock() = default;

  /// Gets ready to take it, without waiting for anything: it will be asked for soon, as when images are built first.
  virtual void prepare() {}
  /// Waits until no other otto works on the project, or did before its cable was lost. Once. Gives the generation that
  /// the last holder left (empty: there was none): where it is not what the probe told, another was at work since;
  /// where it is_open(), its holder was cut off, and nobody knows how much of it a probe has seen. `waiting` is called
  /// on another thread where there is somebody to wait for. kUnsupported (no flock, no folder for locks),
  /// kConnectionLost, kInterrupted.
  virtual Result<std::string> take(std::function<void(const LockHolder&)> waiting) = 0;
  [[nodiscard]] virtual bool held() const = 0;
  /// What this turn is known by on the parent, to what may only be done in it (composing.h, staging.h).
  [[nodiscard]] virtual const std::string& token() const = 0;
  /// Nothing is in doubt any more: the note of doomed containers goes when the lock is given back.
  virtual void settle() = 0;
  /// Begins to give it back; nothing may be changed any more.
  virtual void release() = 0;
};

/// Of a generation whose holder was at work when it was read, or has been cut off.
inline bool is_open(std::string_view generation) { return generation.starts_with("open "); }

}  // namespace otto::parent
