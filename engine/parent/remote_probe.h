// The probe of a real parent: one script, one round trip; where facts are not remembered the same script gathers them.
#pragma once

#include <stop_token>

#include "engine/parent/probe.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::parent {

/// Asks the parent; pulls what the bases ask for, as a job that ends with otto. kDockerMissing, kDockerDenied,
/// kRemoteFailed with the engine's words, kConnectionLost, kInterrupted.
Result<Probe> probe_parent(transport::Remote& remote, const ParentSettings& settings, const ProbeRequest& request,
                           const std::stop_token& stop = {});

}  // namespace otto::parent
