#include "engine/stack/take_down.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "cache/registration_store.h"
#include "engine/containers/half_replaced.h"
#include "engine/stack/service_record.h"
#include "engine/stack/stack_telling.h"
#include "engine/stack/stack_turn.h"
#include "engine/workspace/names.h"
#include "graph/drive.h"
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

Result<void> end_containers(parent::ParentSession& session, const StackTurn& turn, const parent::Probe& probe,
                            const std::string& project, const docker::DownOptions& options) {
  session.reporter().report(Event::in_phase(Phase::kStopping, project, fmt::format("up to {} s", options.timeout_s)));
  const auto compose = session.parent().compose(session.facts(), project, session.stop());
  compose->in_turn(turn.token());
  std::vector<std::string> doomed;  // if this is cut, the next `up` makes them anew: they may have been told to stop
  for (const parent::ContainerState& container : probe.containers) doomed.push_back(container.id);
  const bool only_networks = probe.containers.empty() && !options.volumes;
  return only_networks ? compose->remove_networks() : compose->down(options.timeout_s, options.volumes, doomed);
}

/// The schedule of a removal: the stack, whose containers Compose ends, and behind it what is remembered of them.
class Down {
 public:
  Down(parent::ParentSession& session, const docker::DownOptions& options, const docker::DownReport& report,
       const StackTurn& turn, const parent::Probe& probe)
      : session_(session), options_(options), report_(report), turn_(turn), probe_(probe) {}

  Result<void> operator()() {
    const graph::NodeId stack = graph_.add(graph::NodeKind::kStack, report_.project);
    std::vector<graph::NodeId> nodes = {stack};
    OTTO_TRY(const std::vector<std::string> ids, registered());
    for (const std::string& id : ids) {
      nodes.push_back(graph_.add(graph::NodeKind::kRegistration, id));
      graph_.add_gate(nodes.back(), stack);
    }
    graph::Rules common;
    common.judge = [](graph::NodeId) -> Result<graph::Verdict> { return graph::Verdict{true}; };
    common.acts_here = [](graph::NodeId) { return true; };
    common.ended = [this](std::span<const graph::NodeId>, graph::NodeEnd, const Result<void>& result) {
      if (!result.ok() && !failure_) failure_ = result.error();
    };
    graph::Rules the_stack = common, registrations = common;
    the_stack.act = [this](std::span<const graph::NodeId>, const std::stop_token&) {
      return end_containers(session_, turn_, probe_, report_.project, options_);
    };
    registrations.batch = [](graph::NodeId) { return "all"; };
    registrations.act = [this](std::span<const graph::NodeId>, const std::stop_token&) { return forget(); };
    graph::DriveOptions how;
    how.jobs = 1;
    how.dry_run = options_.dry_run;  // and no stop: what has ended is forgotten, too
    const auto outcomes = graph::drive(
        graph_, nodes,
        graph::by_kind(graph_, {{graph::NodeKind::kStack, the_stack}, {graph::NodeKind::kRegistration, registrations}}),
        how);
    session_.reporter().driven(graph_, outcomes);
    return failure_ ? Result<void>(*failure_) : Result<void>();
  }

 private:
  /// The host ids of containers that are there, or that the memo knows.
  Result<std::vector<std::string>> registered() const {
    std::set<std::string> ids(report_.removed.begin(), report_.removed.end());
    OTTO_TRY(const auto known, cache::RegistrationStore(session_.memo()).all());
    for (const cache::Registration& one : known) {
      if (one.parent == report_.parent && one.project == report_.repo) ids.insert(one.host_id);
    }
    return std::vector<std::string>(ids.begin(), ids.end());
  }

  Result<void> forget() {
    const bool is_own = report_.project == docker::get_user_compose_project(report_.repo);
    return session_.memo().in_transaction([&]() -> Result<void> {
      if (is_own) OTTO_RETURN_IF_ERROR(record_removed(session_, probe_.containers));
      return cache::RegistrationStore(session_.memo()).remove(report_.parent, report_.repo);
    });
  }

  parent::ParentSession& session_;
  const docker::DownOptions& options_;
  const docker::DownReport& report_;
  const StackTurn& turn_;
  const parent::Probe& probe_;
  graph::Graph graph_;
  std::optional<Error> failure_;
};

}  // namespace

Result<docker::DownReport> take_down(parent::ParentSession& session, const docker::DownOptions& options) {
  docker::DownReport report;
  report.parent = session.host().id;
  report.repo = session.repo().name;
  report.project = options.project.value_or(docker::get_user_compose_project(report.repo));
  StackTurn turn;
  OTTO_TRY(const parent::Probe probe, take_turn(session, turn, report.project, options.dry_run));
  for (const parent::ContainerState& container : containers::salvage(probe.containers, {}).containers) {
    report.removed.push_back(
        workspace::container_host_id(report.parent, report.repo, container.service, container.number));
  }
  const auto down = Down(session, options, report, turn, probe)();
  if (!down.ok() && down.error().code == ErrorCode::kInterrupted) {
    std::set<std::string> services;
    for (const parent::ContainerState& container : probe.containers) services.insert(container.service);
    return interrupted_while_changing(session, report.project, services, probe.containers);
  }
  OTTO_RETURN_IF_ERROR(down);
  turn.settle();
  return report;
}

}  // namespace otto::stack
