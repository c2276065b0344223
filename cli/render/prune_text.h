// What `otto docker prune` removed, and what it kept and why, as text for people. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

/// "tag", "stage", "record".
std::string_view prune_kind_name(docker::PruneKind kind);

/// What is kept is told only with -v.
std::string render_prune(std::span<const docker::PruneReport> reports, bool dry_run, const Style& style);

}  // namespace otto::cli
