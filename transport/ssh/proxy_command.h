// A ProxyCommand of ~/.ssh/config as the way to a host.
//
// The command belongs to the user's own configuration and is given to /bin/sh as ssh does; its standard input and
// output are one socket of ours. It ends when that socket closes.
#pragma once

#include <string>

#include "graph/base/fd.h"
#include "graph/base/result.h"

namespace otto::transport {

/// Starts `command` (tokens expanded). kConfig: it cannot be started.
Result<Fd> start_proxy_command(const std::string& command);

}  // namespace otto::transport
