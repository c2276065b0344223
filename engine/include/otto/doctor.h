// What lies between a configuration and a Docker command on a host, step by step: what works, what does not, and what
// mends it.
//
// Looks by the very code that works: the workspace's connections, the parent's probe, a supervised job. Changes nothing
// but what connecting changes (a new host key is recorded) and the remembered facts of a parent, which are asked anew.
// Values in, values out.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "otto/reporter.h"
#include "otto/workspace.h"

namespace otto {

enum class CheckStatus {
  kOk,
  kWarning,  ///< works, but not as well as it could, or something is odd
  kFailed,
  kSkipped,  ///< could not be looked at, because a step before it failed
};
/// "ok", "warning", "failed", "skipped".
std::string_view check_status_name(CheckStatus status);

struct Check {
  std::string step;  ///< stable: "settings", "lab", "memo"; "route", "connect", "host-key", "log-in", "shell", "jobs",
                     ///< "tools", "clock", "stage", "docker", "engine", "buildx", "compose", "space"; "container"
  std::string subject;  ///< the hop or parent that the step is about; empty: the host itself
  CheckStatus status = CheckStatus::kOk;
  std::string detail;             ///< what was found; of a failure: what is wrong
  std::string hint;               ///< what mends it; may be empty
  std::optional<ErrorCode> code;  ///< of a failure
};

struct HostDiagnosis {
  std::string host_id;
  std::vector<Check> checks;  ///< in order; of a container, its parent's come first
};

struct Diagnosis {
  std::vector<Check> configuration;
  std::vector<HostDiagnosis> hosts;  ///< empty where the configuration does not name any
};

/// The first failure; nullptr: none.
const Check* first_failure(const std::vector<Check>& checks);

/// Checks the configuration, and the machines or containers named, or every machine of the lab. Failures are in the
/// answer. kUnknownName for a host nobody declared, with the near-miss; kInterrupted.
Result<Diagnosis> diagnose(const WorkspaceOptions& options, const std::vector<std::string>& host_ids,
                           Reporter& reporter, std::stop_token stop = {});

}  // namespace otto
