// The docker command of a parent in scripts, and what its failures mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/facts.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::parent {

/// Head of every docker script: extends PATH for non-interactive logins, defines otto_docker as the docker command and
/// otto_docker_compose as the standalone Compose beside it, exits with kNoDockerExit where docker does not exist.
/// otto_docker_job and otto_docker_compose_job are the same for what may last, and ends with the job whoever it runs
/// as (other_user.h).
std::string docker_prelude(const ParentSettings& settings);
inline constexpr int kNoDockerExit = 81;
/// The docker command with docker-compose in place of docker: `sudo -n docker` → `sudo -n docker-compose`.
std::vector<std::string> standalone_compose(std::vector<std::string> command);
/// The folder of all stages as a word of sh.
std::string stage_root_word(const ParentSettings& settings);

/// What a failed docker command means: kDockerMissing or kDockerDenied with hint where the engine says so, else
/// `otherwise` with the last lines of stderr.
Error docker_error(const transport::Output& output, std::string_view host_id, ErrorCode otherwise,
                   std::string_view what);

/// What helps with a container that is "paused", "restarting" or "unhealthy": "on host 'pepper_seed' `docker unpause
/// 0123456789ab` lets it go on".
std::string idle_remedy(std::string_view state, std::string_view host_id, std::string_view container_id);

}  // namespace otto::parent
