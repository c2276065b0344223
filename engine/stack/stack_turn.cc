#include "engine/stack/stack_turn.h"

#include <fmt/format.h>

#include <utility>

#include "graph/base/text.h"

namespace otto::stack {

void StackTurn::prepare(parent::ParentSession& session, const std::string& compose_project) {
  if (lock_) return;
  lock_ = session.parent().lock(session.facts(), compose_project, session.stop());
  lock_->prepare();
}

Result<bool> StackTurn::take(parent::ParentSession& session, const std::string& compose_project,
                             const parent::Probe& probe) {
  if (held()) return true;
  const auto waiting = [&session, &compose_project](const parent::LockHolder& holder) {
    session.reporter().report(Event::in_phase(Phase::kWaiting, compose_project, parent::waiting_for(holder)));
  };
  const bool had_one = std::exchange(taken_, true);
  if (had_one || !lock_) lock_ = session.parent().lock(session.facts(), compose_project, session.stop());
  OTTO_TRY(const std::string generation, lock_->take(waiting));
  if (had_one || parent::is_open(generation)) return false;
  return generation == probe.generation;
}

void StackTurn::settle() {
  if (lock_) lock_->settle();
}

void StackTurn::give_back() {
  if (lock_) lock_->release();
}

Result<void> check_account(const parent::ParentSession& session, const std::string& compose_project,
                           const std::vector<parent::ContainerState>& containers) {
  const std::string& own = session.facts().account;
  for (const parent::ContainerState& container : containers) {
    if (container.account.empty() || container.account == own) continue;
    return make_error(
        ErrorCode::kConfig,
        fmt::format("project '{}' on host '{}' belongs to the account '{}' there (container '{}'); this is the account "
                    "'{}'",
                    compose_project, session.host().id, text::printable(container.account),
                    text::printable(container.name), own),
        "set OTTO_COMPOSE_SUFFIX to a word of your own, which makes it another project, or log in as that account");
  }
  return {};
}

}  // namespace otto::stack
