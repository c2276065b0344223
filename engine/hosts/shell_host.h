// Any host by its access: commands, sessions and transfers, the same for machines and containers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/hosts/host_access.h"
#include "otto/host.h"

namespace otto::hosts {

std::unique_ptr<Host> make_host(std::unique_ptr<HostAccess> access);

/// A command line as a program and its arguments, where it needs no shell: blanks, quotes and backslashes only.
/// kUnsupported naming what it needs one for.
Result<std::vector<std::string>> plain_words(std::string_view command);

/// A command for `sh -c` or `eval`, which would take one that begins with '-' or '+' for options of their own.
std::string as_no_option(std::string_view command);

}  // namespace otto::hosts
