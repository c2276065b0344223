// compose_down, compose_ps: the façade's view of what runs, and its end.

#include <fmt/format.h>

#include <map>

#include "engine/parent/container_state.h"
#include "engine/parent/docker_command.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/take_down.h"
#include "engine/workspace/names.h"
#include "engine/workspace/targets.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

Result<DownReport> down_on(workspace::Opened& workspace, const workspace::Target& target, const DownOptions& options) {
  OTTO_TRY(parent::ParentSession session, parent::ParentSession::open(workspace, target));
  return stack::take_down(session, options);
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
