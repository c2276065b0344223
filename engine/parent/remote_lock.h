// The lock of a compose project on a real parent: one job holds it for as long as the object asks for it.
//
// Jobs that change something hold a second lock as well (project_work_text), which a new holder waits for too. Must not
// know plans. Threads: one; the job runs on a thread of its own.
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
#include "engine/parent/project_lock.h"
#include "graph/base/result.h"
#include "graph/base/sync.h"
#include "transport/remote.h"

namespace otto::parent {

class RemoteLock final : public ProjectLock {
 public:
  /// Borrows `remote`; takes nothing yet.
  RemoteLock(transport::Remote& remote, const ParentFacts& facts, std::string project, std::stop_token stop);
  ~RemoteLock() override;
  RemoteLock(const RemoteLock&) = delete;
  RemoteLock& operator=(const RemoteLock&) = delete;

  /// Starts the job, which then waits for a word.
  void prepare() override;
  Result<std::string> take(std::function<void(const LockHolder&)> waiting) override;
  [[nodiscard]] bool held() const override;
  [[nodiscard]] const std::string& token() const override { return token_; }
  void settle() override;
  void release() override;

 private:
  struct State {
    std::optional<std::string> generation;  // once it is taken
    std::optional<Error> failure;
    bool wanted = false;  // the lock is to be taken now
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
  std::stop_source over_;  ///< nothing more is awaited of the job
  std::function<void(const LockHolder&)> waiting_;
  mutable Sync<State> state_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

/// sh: what a probe says of a project's notes: "generation WORD" and lines "doomed ID", by tabs. `locks`: the folder as
/// a word of sh.
std::string project_notes_script(std::string_view locks, std::string_view project);

/// sh, for every job that must not run when the turn has been lost, as by an otto that stood still until its heartbeat
/// was missed: holds the lock of those who work, or exits with `lost_exit`.
std::string project_turn_text(const ParentFacts& facts, const TurnOf& turn, int lost_exit);
/// The same with kNoLockExit, for what changes containers: then notes what is doomed.
std::string project_work_text(const ParentFacts& facts, const TurnOf& turn, const std::vector<std::string>& doomed);

/// kInputsChanged.
Error turn_lost(std::string_view project, std::string_view host_id);

}  // namespace otto::parent
