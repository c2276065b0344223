// Reading `ssh_options`, which settings.toml ([host_defaults]) and hosts.json share, and hosts.json's `telnet_options`.
//
// Must not know what a connection does with them. Values only.
#pragma once

#include "engine/config/document.h"
#include "engine/config/settings.h"
#include "graph/base/result.h"

namespace otto::config {

/// Reads one ssh_options table. kConfig.
Result<SshOptions> read_ssh_options(const Source& source, const Node& table, std::string scope);

/// Reads one telnet_options table. kConfig.
Result<TelnetOptions> read_telnet_options(const Source& source, const Node& table, std::string scope);

}  // namespace otto::config
