// The spellings of the façade's enums, in JSON and in text alike.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/context_manifest.h"
#include "otto/host.h"
#include "otto/reporter.h"

namespace otto::cli {

std::string_view host_kind_name(HostKind kind);
std::string_view host_state_name(HostState state);
std::string_view entry_type_name(graph::EntryType type);
std::string_view phase_name(Phase phase);
std::string_view event_kind_name(Event::Kind kind);

/// The labs these hosts belong to, each once, sorted.
std::vector<std::string> labs_of(std::span<const HostListing> hosts);

}  // namespace otto::cli
