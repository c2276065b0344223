// A compose project on a parent belongs to one otto at a time, from the plan to the last change.
//
// One job holds the project's lock for as long as this object asks for it; jobs that change something hold a second one
// as well (project_work_text), which a new holder waits for too: after a lost cable Compose runs on until the
// heartbeat, though its holder is gone. Beside the locks lie two notes: `generation`, which every holder changes when
// it begins and when it ends, so that whoever was told another one by the probe, or one that is still open, plans anew;
// and `doomed`, the ids of containers that are about to be replaced or stopped, so that after a cut nobody takes one
// that has had its SIGTERM for a healthy one. Both only save questions or say what is in doubt: without them nothing is
// wrong that a name or a state shows. Must not know plans. Threads: one; the job runs on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/parent/lock_script.h"
#include "engine/parent/parent.h"
#include "graph/base/result.h"
#include "graph/base/sync.h"
#include "transport/remote.h"

namespace otto::parent {

class ProjectLock {
 public:
  /// Borrows `remote`; takes nothing yet.
  ProjectLock(transport::Remote& remote, const ParentFacts& facts, std::string project, std::stop_token stop);
  /// Gives it back and waits until that is done.
  ~ProjectLock();
  ProjectLock(const ProjectLock&) = delete;
  ProjectLock& operator=(const ProjectLock&) = delete;

  /// Waits until no other otto works on the project, or did before its cable was lost. Gives the generation that the
  /// last holder left (empty: there was none): where it is not what the probe told, another was at work since; where it
  /// is_open(), its holder was cut off, and nobody knows how much of it a probe has seen. `waiting` is called on
  /// another thread where there is somebody to wait for. kUnsupported (no flock, no folder for locks), kConnectionLost,
  /// kInterrupted.
  Result<std::string> take(std::function<void(const LockHolder&)> waiting);
  [[nodiscard]] bool held() const;
  /// What this turn is known by on the parent, to jobs that change something (project_work_text).
  [[nodiscard]] const std::string& token() const { return token_; }
  /// Of a generation whose holder was at work when it was read, or has been cut off.
  static bool is_open(std::string_view generation);
  /// Nothing is in doubt any more: the note of doomed containers goes when the lock is given back.
  void settle();
  /// Begins to give it back; nothing may be changed any more.
  void release();

 private:
  struct State {
    std::optional<std::string> generation;  // once it is taken
    std::optional<Error> failure;
    bool settled = false;
    bool over = false;     // the job may end, or has
    std::string out, err;  // the last line of each, which is not whole yet
    std::string words;     // of a failure
  };
  void hold();
  void take_output(transport::Stream stream, std::string_view bytes);

  transport::Remote& remote_;
  const ParentFacts facts_;
  const std::string project_;
  const std::string token_;
  const std::stop_token stop_;
  std::function<void(const LockHolder&)> waiting_;
  mutable Sync<State> state_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

/// sh: what a probe says of a project's notes: "generation WORD" and lines "doomed ID", by tabs. `locks`: the folder as
/// a word of sh.
std::string project_notes_script(std::string_view locks, std::string_view project);

/// sh, for every job that changes something of a project in the turn `token`: holds the lock of those who work; exits
/// with kNoLockExit where the turn has been lost, as by an otto that stood still until its heartbeat was missed; then
/// notes what is doomed.
std::string project_work_text(const ParentFacts& facts, std::string_view project, std::string_view token,
                              const std::vector<std::string>& doomed);

}  // namespace otto::parent
