// RemoteTerminal of the façade over a Process of the transport.
#pragma once

#include <memory>

#include "engine/hosts/host_access.h"
#include "otto/terminal.h"

namespace otto::hosts {

/// Borrows `access`. Errors as Host::open_terminal.
Result<std::unique_ptr<RemoteTerminal>> open_terminal(HostAccess& access, const TerminalOptions& options);

}  // namespace otto::hosts
