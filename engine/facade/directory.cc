// list_hosts, get_host: every host there is, by its id; offline until a host is used.

#include <algorithm>
#include <charconv>
#include <set>

#include "cache/database.h"
#include "cache/listing.h"
#include "engine/compose/compose_file.h"
#include "engine/config/hosts.h"
#include "engine/hosts/container_access.h"
#include "engine/hosts/machine_access.h"
#include "engine/hosts/shell_host.h"
#include "engine/parent/container_state.h"
#include "engine/workspace/names.h"
#include "engine/workspace/targets.h"
#include "graph/base/text.h"
#include "otto/docker.h"

namespace otto {

namespace {

HostListing machine_listing(const config::HostEntry& host) {
  HostListing listing;
  listing.id = host.id;
  listing.kind = host.term == transport::Protocol::kLocal ? HostKind::kLocal : HostKind::kUnix;
  listing.lab = host.labs.empty() ? "" : host.labs.front();
  listing.docker_capable = host.docker_capable;
  return listing;
}

/// Up for Docker, or not.
HostState host_state(parent::ContainerStatus status) {
  switch (status) {
    case parent::ContainerStatus::kRunning:
    case parent::ContainerStatus::kPaused:
    case parent::ContainerStatus::kRestarting: return HostState::kRunning;
    case parent::ContainerStatus::kCreated:
    case parent::ContainerStatus::kExited:
    case parent::ContainerStatus::kRemoving:
    case parent::ContainerStatus::kDead: return HostState::kExited;
    case parent::ContainerStatus::kUnknown: return HostState::kUnknown;
  }
  panic("unknown container status", __FILE__, __LINE__);
}

HostListing container_listing(const cache::Registration& known) {
  HostListing listing;
  listing.id = known.host_id;
  listing.kind = HostKind::kContainer;
  listing.parent = known.parent;
  listing.lab = known.lab;
  listing.state = host_state(parent::parse_status(known.state));
  listing.container_id = known.container_id;
  listing.image = known.image;
  listing.last_seen_ms = known.last_seen_ms;
  return listing;
}

/// A service of a compose file and the parent it is declared for.
struct Declared {
  workspace::Target target;
  std::string service;
  std::string host_id;
};

/// Services as settings list them, else as the compose file has them. Files that cannot be read declare nothing here;
/// the commands that need them say why.
std::vector<Declared> declared_containers(workspace::Opened& workspace) {
  std::vector<Declared> declared;
  for (const config::Settings& repo : workspace.repos()) {
    for (const config::ComposeSettings& compose : repo.composes) {
      const config::HostEntry* host = workspace.lab().find(text::to_lower(compose.default_host));
      if (host == nullptr) continue;
      std::vector<std::string> services = compose.services;
      if (services.empty()) {
        const auto read =
            compose::read_compose_builds(repo.root, {compose.path}, docker::get_user_compose_project(repo.name),
                                         [&](const char* name) { return workspace.getenv(name); });
        if (!read.ok()) continue;
        for (const compose::ComposeService& service : *read) services.push_back(service.name);
      }
      for (const std::string& service : services) {
        declared.push_back(
            {{&repo, host, {&compose}}, service, workspace::container_host_id(host->id, repo.name, service, 1)});
      }
    }
  }
  return declared;
}

Result<std::vector<cache::Registration>> known_containers(const workspace::Opened& workspace) {
  OTTO_TRY(cache::Listing listing, cache::read_listing(cache::Database::default_path()));
  std::erase_if(listing.registrations,
                [&](const cache::Registration& known) { return workspace.lab().find(known.parent) == nullptr; });
  return std::move(listing.registrations);
}

/// The compose files of a repo: those of a stack that may be started on another parent with --on.
workspace::Target target_of(const config::Settings& repo, const config::HostEntry& host) {
  workspace::Target target{&repo, &host, {}};
  for (const config::ComposeSettings& compose : repo.composes) target.composes.push_back(&compose);
  return target;
}

/// A container that does not run has its stack brought up, as it was last built.
Result<void> start_stack(Workspace& library, const hosts::ContainerAddress& address) {
  docker::UpOptions up;
  up.on = address.target.host->id;
  up.repo = address.target.repo->name;
  up.project = address.compose_project;
  up.build = false;
  OTTO_TRY(const std::vector<docker::UpReport> reports, docker::compose_up(library, up));
  for (const docker::UpReport& report : reports) {
    if (report.build.error) return *report.build.error;
  }
  return {};
}

std::unique_ptr<Host> container_host(Workspace& library, hosts::ContainerAddress address) {
  return hosts::make_host(hosts::access_container(
      library.opened(), std::move(address),
      [&library](const hosts::ContainerAddress& started) { return start_stack(library, started); }));
}

Result<std::unique_ptr<Host>> unknown_host(Workspace& library, std::string_view id) {
  OTTO_TRY(const std::vector<HostListing> listings, list_hosts(library));
  std::vector<std::string> ids;
  for (const HostListing& listing : listings) ids.push_back(listing.id);
  return make_error(ErrorCode::kUnknownName, "unknown host '" + std::string(id) + "'" + text::did_you_mean(id, ids),
                    "`otto --list-hosts` lists them");
}

}  // namespace

Result<std::vector<HostListing>> list_hosts(Workspace& library) {
  workspace::Opened& workspace = library.opened();
  std::vector<HostListing> listings;
  std::set<std::string> seen;
  const std::vector<std::string>& labs = workspace.lab().names;
  for (const config::HostEntry& host : workspace.lab().hosts) {
    // Hops from outside the chosen labs serve routes only.
    const bool listed = labs.empty() || std::any_of(host.labs.begin(), host.labs.end(), [&](const std::string& lab) {
                          return std::find(labs.begin(), labs.end(), lab) != labs.end();
                        });
    if (listed) listings.push_back(machine_listing(host));
  }
  OTTO_TRY(const auto registrations, known_containers(workspace));
  for (const cache::Registration& known : registrations) {
    listings.push_back(container_listing(known));
    seen.insert(known.host_id);
  }
  for (const Declared& declared : declared_containers(workspace)) {
    if (!seen.insert(declared.host_id).second) continue;
    HostListing listing;
    listing.id = declared.host_id;
    listing.kind = HostKind::kContainer;
    listing.parent = declared.target.host->id;
    listing.lab = declared.target.host->labs.empty() ? "" : declared.target.host->labs.front();
    listing.state = HostState::kDeclared;
    listings.push_back(std::move(listing));
  }
  std::sort(listings.begin(), listings.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return listings;
}

Result<std::unique_ptr<Host>> get_host(Workspace& library, std::string_view id) {
  workspace::Opened& workspace = library.opened();
  const std::string wanted = text::to_lower(id);
  if (const config::HostEntry* host = workspace.lab().find(wanted)) {
    return hosts::make_host(hosts::access_machine(workspace, *host));
  }
  return docker::get_container_host(library, wanted);
}

namespace docker {

Result<std::unique_ptr<Host>> get_container_host(Workspace& library, std::string_view host_id) {
  workspace::Opened& workspace = library.opened();
  const std::string wanted = text::to_lower(host_id);
  OTTO_TRY(const auto registrations, known_containers(workspace));
  for (const cache::Registration& known : registrations) {
    if (known.host_id != wanted) continue;
    for (const config::Settings& repo : workspace.repos()) {
      if (repo.name != known.project) continue;
      return container_host(library, {wanted, target_of(repo, *workspace.lab().find(known.parent)),
                                      known.compose_project, known.service, known.replica});
    }
  }
  for (const Declared& declared : declared_containers(workspace)) {
    if (declared.host_id != wanted) continue;
    return container_host(
        library, {wanted, declared.target, get_user_compose_project(declared.target.repo->name), declared.service, 1});
  }
  return unknown_host(library, host_id);
}

}  // namespace docker
}  // namespace otto
