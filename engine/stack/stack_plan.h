// Which services of a stack must be created, recreated or started, and in which order: a pure function.
//
// Replaces Compose's own judgement, which recreates every transitive dependent of a new tag and reruns finished
// one-shots (docs/compose.md). The caller executes the waves; nothing else decides.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/stack/stack_model.h"
#include "graph/base/result.h"
#include "otto/docker.h"

namespace otto::plan {

/// A container of the stack as the parent's probe reports it.
struct ContainerState {
  std::string service;
  unsigned number = 1;  ///< com.docker.compose.container-number
  std::string id;
  std::string image_id;        ///< "sha256:…"
  std::string image;           ///< the reference it was created from
  std::string service_digest;  ///< hex, from kServiceDigestLabel; empty: not started by otto
  std::string status = {};     ///< "running", "exited", "created", "paused", "restarting", "dead"
  int exit_code = 0;
  std::string name = {};    ///< as the engine has it now
  std::string health = {};  ///< "healthy", "unhealthy", "starting"; empty: it has no health check
  unsigned restarts = 0;  ///< by its restart policy; known of containers that began to run within the last ten seconds
  std::string account = {};  ///< on the parent, that made it, from kAccountLabel; empty: an otto that did not say
  bool doomed = false;       ///< a command that was cut off had begun to replace it: it may have been told to stop
  bool operator==(const ContainerState&) const = default;
};

/// Up for Docker, but does nothing at the moment: paused, or between two attempts of its restart policy. Compose has
/// nothing for either, so both are left alone and told.
inline bool is_idle(const ContainerState& container) {
  return container.status == "paused" || container.status == "restarting";
}

using docker::action_name;  // defined in engine/workspace/names.cc
using docker::ServiceAction;

struct ServiceStep {
  std::string service;
  ServiceAction action = ServiceAction::kUnchanged;
  std::string reason;     ///< for people: "image changed", "its definition changed", "follows api", "was stopped", "not
                          ///< created yet", "is paused"; empty: nothing to say
  unsigned replicas = 1;  ///< that are wanted
  std::string follows = {};  ///< the service whose replacement, or start, is why this one is replaced; empty: none
};

/// Services that may be started together once `awaits` holds. No two that depend on each other have different graces.
struct Wave {
  std::vector<std::string> recreate;       ///< up --force-recreate
  std::vector<std::string> start;          ///< up --no-recreate: created or started as they are
  std::vector<docker::Dependency> awaits;  ///< healthy or completed conditions to be met first; those not `required`
                                           ///< may fail
};

struct StackPlan {
  std::vector<ServiceStep> steps;       ///< every wanted service, sorted by name
  std::vector<Wave> waves;              ///< empty: nothing to do
  std::vector<ContainerState> orphans;  ///< containers of services that the stack does not have
};

/// The services that `selected` brings up: they and what they stand on; empty: all without profiles. kUnknownName with
/// the near-miss, kConfig (a dependency that does not exist).
Result<std::set<std::string>> wanted_services(const docker::StackModel& model,
                                              const std::vector<std::string>& selected);

/// `selected`: services named by the user (their dependencies join, and running containers that cannot outlive theirs);
/// empty: all without profiles. `image_ids`: the id each service's image has on the parent now; absent: not there
/// (Compose will pull).
///
/// Recreated: its digest or image id is not its containers'; a command that was cut off had begun to replace one of
/// them; it lives in a service that is replaced or started again; it is declared to restart with one that is replaced;
/// it was stopped and lives in another (whose container may be gone). Started: stopped containers, one-shots that
/// failed, a wrong number of replicas (by `up --no-recreate`, with the others left alone). Completed: a one-shot that
/// exited 0. kUnknownName with the near-miss, kConfig (dependency cycle, naming its path; a dependency that does not
/// exist).
Result<StackPlan> plan_stack(const docker::StackModel& model, const std::vector<ContainerState>& containers,
                             const std::map<std::string, std::string>& image_ids,
                             const std::vector<std::string>& selected);

/// The containers that a call for `services` ends, or that must follow once it has: all that a command which is cut off
/// in it leaves in doubt. Ids of running ones only, for what has ended already is not told to stop.
std::vector<std::string> doomed_by(const StackPlan& plan, const std::vector<ContainerState>& containers,
                                   const std::vector<std::string>& services);

}  // namespace otto::plan
