// Reading `ssh_options`, which settings.toml ([host_defaults]) and hosts.json share.
//
// Must not know what a connection does with them. Values only.
#pragma once

#include "engine/config/document.h"
#include "engine/config/settings.h"
#include "graph/base/result.h"

namespace otto::config {

/// Reads one ssh_options table. kConfig.
Result<SshOptions> read_ssh_options(const Source& source, const Node& table, std::string scope);

}  // namespace otto::config
