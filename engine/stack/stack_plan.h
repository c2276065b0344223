// Which services of a stack must be created, recreated or started, and in which order: a pure function.
//
// Replaces Compose's own judgement, which recreates every transitive dependent of a new tag and reruns finished
// one-shots (docs/compose.md). The caller executes the waves; nothing else decides.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/parent/container_state.h"
#include "engine/stack/stack_model.h"
#include "graph/base/result.h"
#include "graph/reasons.h"
#include "otto/stack.h"

namespace otto::stack {

using docker::action_name;
using docker::ServiceAction;

struct ServiceStep {
  std::string service;
  ServiceAction action = ServiceAction::kUnchanged;
  std::string reason;     ///< for people: "image changed", "its definition changed", "follows api", "was stopped", "not
                          ///< created yet", "is paused"; empty: nothing to say
  unsigned replicas = 1;  ///< that are wanted
  std::string follows = {};  ///< the service whose replacement, or start, is why this one is replaced; empty: none
  std::vector<graph::Reason> reasons = {};  ///< of the action; empty exactly where there is none
};

/// What is known of why a service is not as it should be. For reasons alone: no verdict hangs on it.
struct Background {
  std::map<std::string, std::vector<graph::Reason>> redefined;  ///< service → which parts of its definition changed
  std::map<std::string, std::string> image_changes;             ///< service → "base → api: file-changed app.py"
};

/// Services that may be started together once `awaits` holds. No two that depend on each other have different graces.
struct Wave {
  std::vector<std::string> recreate;  ///< up --force-recreate
  std::vector<std::string> start;     ///< up --no-recreate: created or started as they are
  std::vector<Dependency> awaits;     ///< healthy or completed conditions to be met first; those not `required`
                                      ///< may fail
};

struct StackPlan {
  std::vector<ServiceStep> steps;               ///< every wanted service, sorted by name
  std::vector<Wave> waves;                      ///< empty: nothing to do
  std::vector<parent::ContainerState> orphans;  ///< containers of services that the stack does not have

  /// nullptr: the service is not wanted.
  [[nodiscard]] const ServiceStep* step_of(std::string_view service) const;
  /// nullopt: nothing is to be done about the service.
  [[nodiscard]] std::optional<std::size_t> wave_of(std::string_view service) const;
};

/// The services that `selected` brings up: they and what they stand on; empty: all without profiles. kUnknownName with
/// the near-miss, kConfig (a dependency that does not exist).
Result<std::set<std::string>> wanted_services(const StackModel& model, const std::vector<std::string>& selected);

/// `selected`: services named by the user (their dependencies join, and running containers that cannot outlive theirs);
/// empty: all without profiles. `image_ids`: the id each service's image has on the parent now; without a value: it is
/// to be built, and what it will be is not known yet; absent: not there (Compose will pull).
///
/// Recreated: its digest or image id is not its containers'; a command that was cut off had begun to replace one of
/// them; it lives in a service that is replaced or started again; it is declared to restart with one that is replaced;
/// it was stopped and lives in another (whose container may be gone). Started: stopped containers, one-shots that
/// failed, a wrong number of replicas (by `up --no-recreate`, with the others left alone). Completed: a one-shot that
/// exited 0. kUnknownName with the near-miss, kConfig (dependency cycle, naming its path; a dependency that does not
/// exist).
Result<StackPlan> plan_stack(const StackModel& model, const std::vector<parent::ContainerState>& containers,
                             const std::map<std::string, std::optional<std::string>>& image_ids,
                             const std::vector<std::string>& selected, const Background& background = {});

/// The containers that a call for `services` ends, or that must follow once it has: all that a command which is cut off
/// in it leaves in doubt. Ids of running ones only, for what has ended already is not told to stop.
std::vector<std::string> doomed_by(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                                   const std::vector<std::string>& services);

/// Nothing that an earlier command left in doubt is of a service that this plan does not touch.
bool covers_all_doubts(const StackPlan& plan, const std::vector<parent::ContainerState>& containers);

/// Whether a service that the plan did something about has a container that has ended, or is restarted, without that
/// being its purpose.
bool some_have_ended(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                     const std::set<std::string>& one_shots);

/// How many services the plan does something about.
std::size_t work_of(const StackPlan& plan);

/// What the plan has started, once it is carried out: for parent::Compose::early_exits. `since`: how long ago its first
/// call was, at most.
parent::Started started_by(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                           std::set<std::string> one_shots, std::chrono::milliseconds since);

/// kUnknownName with the near-miss; `names`: those there are.
Error unknown_service(std::string_view service, const std::vector<std::string>& names);

}  // namespace otto::stack
