// compose_ps: what runs on the lab's hosts, as their engines say; the memo learns what was seen.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "cache/registration_store.h"
#include "engine/parent/container_state.h"
#include "engine/parent/docker_command.h"
#include "engine/parent/parent_session.h"
#include "engine/workspace/names.h"
#include "engine/workspace/opened.h"
#include "graph/base/clock.h"
#include "graph/base/record.h"
#include "graph/base/text.h"
#include "otto/stack.h"

namespace otto::docker {

namespace {

struct Listed {
  ContainerInfo info;
  std::string compose_project, project;  ///< `project`: a repo's name; empty: none of this user's stacks
  unsigned replica = 1;
};

std::string ps_script(const parent::ParentSettings& settings) {
  return parent::docker_prelude(settings) +
         "otto_docker ps --no-trunc --all "
         "--format '{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Status}}\t{{.Label \"com.docker.compose.project\"}}\t"
         "{{.Label \"com.docker.compose.service\"}}\t{{.Label \"com.docker.compose.container-number\"}}'\n";
}

/// Compose project → repo's name, for the host ids of containers of this user's stacks.
std::map<std::string, std::string> known_projects(const workspace::Opened& workspace) {
  std::map<std::string, std::string> projects;
  for (const config::Settings& repo : workspace.repos()) projects[get_user_compose_project(repo.name)] = repo.name;
  return projects;
}

/// Of a line of `docker ps`: "Up 2 hours (Paused)", "Exited (137) 3 days ago".
parent::ContainerStatus status_of(std::string_view words) {
  using parent::ContainerStatus;
  if (words.ends_with("(Paused)")) return ContainerStatus::kPaused;
  if (words.starts_with("Up ")) return ContainerStatus::kRunning;
  const std::string first = text::to_lower(words.substr(0, words.find(' ')));
  return parent::parse_status(first);  // exited, created, restarting, dead
}

bool runs(const ContainerInfo& container) {
  return container.status.starts_with("Up ") || container.status.starts_with("Restarting");
}

Result<std::vector<Listed>> containers_on(workspace::Opened& workspace, const config::HostEntry& host) {
  OTTO_TRY(transport::Remote * remote, workspace.remote(host));
  transport::Script script;
  script.text = ps_script(parent::parent_settings(workspace.repos().front(), host));
  script.stop = workspace.stop();
  OTTO_TRY(const transport::Output output, remote->run(script));
  if (!output.status.success())
    return parent::docker_error(output, host.id, ErrorCode::kRemoteFailed, "docker ps failed");
  const auto projects = known_projects(workspace);
  std::vector<Listed> containers;
  for (const Record& record : split_records(output.out)) {
    Listed listed;
    ContainerInfo& info = listed.info;
    std::string replica;
    if (!record.read_all(info.id, info.name, info.image, info.status, listed.compose_project, info.service, replica))
      continue;
    const auto project = projects.find(listed.compose_project);
    // What is half replaced is no host, though its labels say which service it is to be.
    if (project != projects.end() && !parent::temporary_name(info.name)) {
      listed.project = project->second;
      std::from_chars(replica.data(), replica.data() + replica.size(), listed.replica);
      info.host_id = workspace::container_host_id(host.id, listed.project, info.service, listed.replica);
    }
    containers.push_back(std::move(listed));
  }
  return containers;
}

/// What was registered there is as it was seen now; what is not there any more is gone. Nothing else is registered: who
/// has not brought a stack up from here knows no more of it than its name.
Result<void> remember(cache::Database& memo, const config::HostEntry& host, const std::vector<Listed>& containers) {
  cache::RegistrationStore store(memo);
  OTTO_TRY(const std::vector<cache::Registration> known, store.all());
  std::map<std::string, std::vector<cache::Registration>> by_project;
  for (cache::Registration registration : known) {
    if (registration.parent != host.id) continue;
    const auto seen = std::ranges::find_if(containers, [&](const Listed& listed) {
      return listed.compose_project == registration.compose_project && listed.info.service == registration.service &&
             listed.replica == registration.replica && !parent::temporary_name(listed.info.name);
    });
    if (seen != containers.end()) registration.last_seen_ms = epoch_ms();
    registration.container_id = seen == containers.end() ? "" : seen->info.id;
    registration.state = seen == containers.end() ? "gone" : parent::status_name(status_of(seen->info.status));
    by_project[registration.project].push_back(std::move(registration));
  }
  for (const auto& [project, registrations] : by_project) {
    OTTO_RETURN_IF_ERROR(store.replace(host.id, project, registrations));
  }
  return {};
}

}  // namespace

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
    auto containers = containers_on(workspace, *host);
    if (!containers.ok() && (hosts.size() == 1 || containers.error().code == ErrorCode::kInterrupted)) {
      return std::move(containers).error();
    }
    if (containers.ok()) {
      const auto memo = workspace.memo();
      if (memo.ok()) static_cast<void>(remember(**memo, *host, *containers));  // a memo that is lost hides nothing
      for (Listed& listed : *containers) {
        if (all || runs(listed.info)) entry.containers.push_back(std::move(listed.info));
      }
    } else {
      entry.reachable = !workspace::is_connection_error(containers.error().code);
      entry.error = std::move(containers).error();
    }
    listing.push_back(std::move(entry));
  }
  return listing;
}

}  // namespace otto::docker
