// A container: scripts run in it by `docker exec` through its parent's connection.
//
// The container is found by its compose labels in the same script that runs the command, so a recreated one is never
// missed and no extra round trip is spent. When otto goes, the command inside the container is ended too: killing
// `docker exec` alone would leave it running. Where the image has no shell that cannot be done.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/hosts/host_access.h"
#include "engine/parent/parent_session.h"

namespace otto::hosts {

/// Which container, by what never changes while it is recreated.
struct ContainerAddress {
  std::string host_id;
  workspace::Target target;  ///< its repo, parent and compose files, for starting the stack on demand
  std::string compose_project;
  std::string service;
  unsigned replica = 1;
};

/// Brings up what the container belongs to, without building. How that is done is not known here.
using StartStack = std::function<Result<void>(const ContainerAddress& address)>;

/// Borrows the workspace; connects on first use. `start` is called where the container does not run.
std::unique_ptr<HostAccess> access_container(workspace::Opened& workspace, ContainerAddress address, StartStack start);

}  // namespace otto::hosts
