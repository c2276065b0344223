// A machine of the lab as a Host: commands run as `ssh HOST COMMAND` would run them, supervised.
#pragma once

#include <memory>
#include <string>

#include "engine/config/hosts.h"
#include "otto/host.h"
#include "otto/workspace.h"

namespace otto::hosts {

/// Borrows both; connects on first use.
std::unique_ptr<Host> make_unix_host(Workspace& workspace, const config::HostEntry& entry);

/// The text of a POSIX sh that runs the commands in order in one shell and ends with the first non-zero exit code.
std::string sequence_script(const std::vector<std::string>& commands);

}  // namespace otto::hosts
