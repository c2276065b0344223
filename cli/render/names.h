// The spellings of the façade's enums, in JSON and in text alike.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/context_manifest.h"
#include "otto/docker.h"
#include "otto/host.h"
#include "otto/reporter.h"

namespace otto::cli {

std::string_view host_kind_name(HostKind kind);
std::string_view host_state_name(HostState state);
std::string_view entry_type_name(graph::EntryType type);
/// A record without reasons is of an image that was found there.
inline bool was_built(const docker::RecordedBuild& build) { return !build.reasons.empty(); }
/// "built" or "cached".
std::string_view recorded_status(const docker::RecordedBuild& build);
std::string_view phase_name(Phase phase);
std::string_view event_kind_name(Event::Kind kind);

/// The labs these hosts belong to, each once, sorted.
std::vector<std::string> labs_of(std::span<const HostListing> hosts);

}  // namespace otto::cli
