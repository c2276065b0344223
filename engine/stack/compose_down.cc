// compose_down, compose_ps: the façade's view of what runs, and its end.

#include <fmt/format.h>

#include <map>
#include <set>

#include "cache/registration_store.h"
#include "engine/containers/half_replaced.h"
#include "engine/containers/registration.h"
#include "engine/images/repo_images.h"
#include "engine/stack/compose_calls.h"
#include "engine/stack/service_record.h"
#include "engine/stack/stack_telling.h"
#include "engine/stack/stack_turn.h"
#include "engine/workspace/names.h"
#include "engine/workspace/targets.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

/// The project's containers, and the turn at it unless nothing is to be done.
Result<parent::Probe> take_turn(parent::ParentSession& session, stack::StackTurn& turn, const std::string& project,
                                bool dry_run) {
  OTTO_TRY(parent::Probe probe, session.probe({.compose_project = project}));
  OTTO_RETURN_IF_ERROR(stack::check_account(session, project, probe.containers));
  if (dry_run) return probe;
  OTTO_TRY(const bool still_true, turn.take(session, project, probe));
  if (still_true) return probe;
  OTTO_TRY(probe, session.probe({.compose_project = project}));
  OTTO_RETURN_IF_ERROR(stack::check_account(session, project, probe.containers));
  return probe;
}

Result<void> take_down(parent::ParentSession& session, const stack::StackTurn& turn, const parent::Probe& probe,
                       const std::string& project, const DownOptions& options) {
  session.workspace().reporter().report(
      Event::in_phase(Phase::kStopping, project, fmt::format("up to {} s", options.timeout_s)));
  stack::Compose compose(session.remote(), session.settings(), session.facts(), project, session.workspace().stop());
  compose.in_turn(turn.token());
  std::vector<std::string> doomed;  // if this is cut, the next `up` makes them anew: they may have been told to stop
  for (const parent::ContainerState& container : probe.containers) doomed.push_back(container.id);
  const bool only_networks = probe.containers.empty() && !options.volumes;
  return only_networks ? compose.remove_networks() : compose.down(options.timeout_s, options.volumes, doomed);
}

Result<DownReport> down_on(workspace::Opened& workspace, const workspace::Target& target, const DownOptions& options) {
  DownReport report;
  report.parent = target.host->id;
  report.repo = target.repo->name;
  const std::string own_project = get_user_compose_project(target.repo->name);
  report.project = options.project.value_or(own_project);
  const bool is_own = report.project == own_project;
  OTTO_TRY(parent::ParentSession session, parent::ParentSession::open(workspace, target));
  stack::StackTurn turn;
  OTTO_TRY(const parent::Probe probe, take_turn(session, turn, report.project, options.dry_run));
  for (const parent::ContainerState& container : containers::salvage(probe.containers, {}).containers) {
    report.removed.push_back(
        workspace::container_host_id(target.host->id, target.repo->name, container.service, container.number));
  }
  if (options.dry_run) return report;
  const auto down = take_down(session, turn, probe, report.project, options);
  if (!down.ok() && down.error().code == ErrorCode::kInterrupted) {
    std::set<std::string> services;
    for (const parent::ContainerState& container : probe.containers) services.insert(container.service);
    return stack::interrupted_while_changing(session, report.project, services, probe.containers);
  }
  OTTO_RETURN_IF_ERROR(down);
  turn.settle();
  const auto recorded = session.memo().in_transaction([&]() -> Result<void> {
    if (is_own) OTTO_RETURN_IF_ERROR(stack::record_removed(session, probe.containers));
    return cache::RegistrationStore(session.memo()).remove(target.host->id, target.repo->name);
  });
  OTTO_RETURN_IF_ERROR(recorded);
  return report;
}

std::string ps_script(const parent::ParentSettings& settings, bool all) {
  return parent::docker_prelude(settings) + "otto_docker ps --no-trunc " + (all ? "--all " : "") +
         "--format '{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Status}}\t{{.Label \"com.docker.compose.project\"}}\t"
         "{{.Label \"com.docker.compose.service\"}}\t{{.Label \"com.docker.compose.container-number\"}}'\n";
}

/// Compose project → repo's name, for the host ids of containers of this user's stacks.
std::map<std::string, std::string> known_projects(const workspace::Opened& workspace) {
  std::map<std::string, std::string> projects;
  for (const config::Settings& repo : workspace.repos()) projects[get_user_compose_project(repo.name)] = repo.name;
  return projects;
}

Result<std::vector<ContainerInfo>> containers_on(workspace::Opened& workspace, const config::HostEntry& host,
                                                 bool all) {
  OTTO_TRY(transport::Remote * remote, workspace.remote(host));
  transport::Script script;
  script.text = ps_script(parent::parent_settings(workspace.repos().front(), host), all);
  script.stop = workspace.stop();
  OTTO_TRY(const transport::Output output, remote->run(script));
  if (!output.status.success())
    return parent::docker_error(output, host.id, ErrorCode::kRemoteFailed, "docker ps failed");
  const auto projects = known_projects(workspace);
  std::vector<ContainerInfo> containers;
  for (const Record& record : split_records(output.out)) {
    ContainerInfo info;
    std::string compose_project, replica;
    if (!record.read_all(info.id, info.name, info.image, info.status, compose_project, info.service, replica)) continue;
    const auto project = projects.find(compose_project);
    // What is half replaced is no host, though its labels say which service it is to be.
    if (project != projects.end() && !parent::temporary_name(info.name)) {
      const unsigned number = replica.empty() ? 1U : static_cast<unsigned>(std::stoul("0" + replica));
      info.host_id = workspace::container_host_id(host.id, project->second, info.service, number);
    }
    containers.push_back(std::move(info));
  }
  return containers;
}

}  // namespace

Result<std::vector<DownReport>> compose_down(Workspace& library, const DownOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  return workspace::for_each_target<DownReport>(
      workspace, targets, [&](const workspace::Target& target) { return down_on(workspace, target, options); },
      [](const workspace::Target& target, Error error) {
        DownReport report;
        report.parent = target.host->id;
        report.repo = target.repo->name;
        report.error = std::move(error);
        return report;
      });
}

Result<std::vector<HostContainers>> compose_ps(Workspace& library, const std::optional<std::string>& on, bool all) {
  workspace::Opened& workspace = library.opened();
  std::vector<const config::HostEntry*> hosts;
  if (on) {
    OTTO_TRY(const config::HostEntry* host, workspace.lab().get(text::to_lower(*on)));
    hosts.push_back(host);
  } else {
    for (const config::HostEntry& host : workspace.lab().hosts) {
      if (host.docker_capable) hosts.push_back(&host);
    }
  }
  for (const config::HostEntry* host : hosts) workspace.connect_early(*host);
  std::vector<HostContainers> listing;
  for (const config::HostEntry* host : hosts) {
    HostContainers entry;
    entry.id = host->id;
    auto containers = containers_on(workspace, *host, all);
    if (!containers.ok() && (hosts.size() == 1 || containers.error().code == ErrorCode::kInterrupted)) {
      return std::move(containers).error();
    }
    if (containers.ok()) {
      entry.containers = std::move(*containers);
    } else {
      entry.reachable = !workspace::is_connection_error(containers.error().code);
      entry.error = std::move(containers).error();
    }
    listing.push_back(std::move(entry));
  }
  return listing;
}

}  // namespace otto::docker
