#include "engine/stack/take_down.h"

#include <fmt/format.h>

#include <set>

#include "cache/registration_store.h"
#include "engine/containers/half_replaced.h"
#include "engine/stack/service_record.h"
#include "engine/stack/stack_telling.h"
#include "engine/stack/stack_turn.h"
#include "engine/workspace/names.h"
#include "otto/names.h"

namespace otto::stack {

namespace {

/// The project's containers, and the turn at it unless nothing is to be done.
Result<parent::Probe> take_turn(parent::ParentSession& session, StackTurn& turn, const std::string& project,
                                bool dry_run) {
  OTTO_TRY(parent::Probe probe, session.probe({.compose_project = project}));
  OTTO_RETURN_IF_ERROR(check_account(session, project, probe.containers));
  if (dry_run) return probe;
  OTTO_TRY(const bool still_true, turn.take(session, project, probe));
  if (still_true) return probe;
  OTTO_TRY(probe, session.probe({.compose_project = project}));
  OTTO_RETURN_IF_ERROR(check_account(session, project, probe.containers));
  return probe;
}

Result<void> end(parent::ParentSession& session, const StackTurn& turn, const parent::Probe& probe,
                 const std::string& project, const docker::DownOptions& options) {
  session.reporter().report(Event::in_phase(Phase::kStopping, project, fmt::format("up to {} s", options.timeout_s)));
  const auto compose = session.parent().compose(session.facts(), project, session.stop());
  compose->in_turn(turn.token());
  std::vector<std::string> doomed;  // if this is cut, the next `up` makes them anew: they may have been told to stop
  for (const parent::ContainerState& container : probe.containers) doomed.push_back(container.id);
  const bool only_networks = probe.containers.empty() && !options.volumes;
  return only_networks ? compose->remove_networks() : compose->down(options.timeout_s, options.volumes, doomed);
}

}  // namespace

Result<docker::DownReport> take_down(parent::ParentSession& session, const docker::DownOptions& options) {
  docker::DownReport report;
  report.parent = session.host().id;
  report.repo = session.repo().name;
  const std::string own_project = docker::get_user_compose_project(report.repo);
  report.project = options.project.value_or(own_project);
  const bool is_own = report.project == own_project;
  StackTurn turn;
  OTTO_TRY(const parent::Probe probe, take_turn(session, turn, report.project, options.dry_run));
  for (const parent::ContainerState& container : containers::salvage(probe.containers, {}).containers) {
    report.removed.push_back(
        workspace::container_host_id(report.parent, report.repo, container.service, container.number));
  }
  if (options.dry_run) return report;
  const auto down = end(session, turn, probe, report.project, options);
  if (!down.ok() && down.error().code == ErrorCode::kInterrupted) {
    std::set<std::string> services;
    for (const parent::ContainerState& container : probe.containers) services.insert(container.service);
    return interrupted_while_changing(session, report.project, services, probe.containers);
  }
  OTTO_RETURN_IF_ERROR(down);
  turn.settle();
  const auto recorded = session.memo().in_transaction([&]() -> Result<void> {
    if (is_own) OTTO_RETURN_IF_ERROR(record_removed(session, probe.containers));
    return cache::RegistrationStore(session.memo()).remove(report.parent, report.repo);
  });
  OTTO_RETURN_IF_ERROR(recorded);
  return report;
}

}  // namespace otto::stack
