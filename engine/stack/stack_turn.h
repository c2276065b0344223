// A command's turn at a compose project: no other otto changes it meanwhile, and nobody else's containers are touched.
//
// Commands read their inputs and ask the parent before they know whether there is anything to do, without a lock, so
// that nothing to do costs one round trip. Whoever then has work takes the turn. If another otto had one in between,
// what was read may be older than what that one made true: all is read again while the turn is held. So any number of
// ottos at once end as if they had come one after the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/parent/project_lock.h"
#include "graph/base/result.h"

namespace otto::stack {

class StackTurn {
 public:
  /// The turn will be wanted soon: its job is started, and holds nothing yet.
  void prepare(parent::ParentSession& session, const std::string& compose_project);
  /// Waits for the turn, telling for whom; once, later calls have it already. True: nobody had one since `probe`, and
  /// none was lost since this was made, so what was read, and brought there, still holds. Errors as
  /// parent::ProjectLock::take.
  Result<bool> take(parent::ParentSession& session, const std::string& compose_project, const parent::Probe& probe);
  /// The holder's job on the parent lives, as far as is known here.
  [[nodiscard]] bool held() const { return lock_ && lock_->held(); }
  /// Of the turn that is held, for parent::Compose::in_turn.
  [[nodiscard]] const std::string& token() const { return lock_->token(); }
  /// All that was begun is done: no container is in doubt any more.
  void settle();
  /// Begins to give it back. Its end, or the destructor, waits until that is done.
  void give_back();

 private:
  std::unique_ptr<parent::ProjectLock> lock_;
  bool taken_ = false;
};

/// kConfig where the project's containers were made by another account of the parent, naming it: its staged files lie
/// in that account's home.
Result<void> check_account(const parent::ParentSession& session, const std::string& compose_project,
                           const std::vector<parent::ContainerState>& containers);

}  // namespace otto::stack
