// A machine of the lab: scripts run on it as `ssh HOST COMMAND` would run them, supervised.
#pragma once

#include <memory>

#include "engine/config/hosts.h"
#include "engine/hosts/host_access.h"

namespace otto::hosts {

/// Borrows both; connects on first use.
std::unique_ptr<HostAccess> access_machine(workspace::Opened& workspace, const config::HostEntry& entry);

}  // namespace otto::hosts
