// A parent as the engine uses it: its connection, its docker command, what it can do, and what it has right now.
//
// Facts (tools, versions, stage root) change rarely: remembered in the memo and asked again when something contradicts
// them. The probe is what can change: wanted images and the stack's containers, one script, one round trip; where facts
// are not remembered the same script gathers them. Must not decide anything.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/container_state.h"
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
/// The folder of all stages as a word of sh.
std::string stage_root_word(const ParentSettings& settings);

/// When a base image is pulled before it is looked at.
enum class Pull { kNever, kMissing, kAlways };

struct BaseQuery {
  std::string reference;
  std::string platform;  ///< of what is pulled; empty: the engine's own
  Pull pull = Pull::kNever;
  bool operator==(const BaseQuery&) const = default;
};

struct ProbeRequest {
  std::vector<std::string> images = {};        ///< references whose ids are wanted
  std::vector<std::string> repositories = {};  ///< references without a tag: the ids of all their tags are wanted
  std::vector<BaseQuery> bases = {};
  std::string compose_project = {};  ///< empty: no containers wanted
  std::string lock_root = {};        ///< of the facts; empty: they are not known yet
  std::string stack_stage = {};      ///< where the project's files are staged, absolute; empty: not known yet
  /// Containers as they once were: where none is there but these, only what changes of them is asked (their states).
  std::vector<ContainerState> known_containers = {};
  bool want_facts = false;
  bool operator==(const ProbeRequest&) const = default;
  [[nodiscard]] bool changes_nothing() const {
    return std::ranges::all_of(bases, [](const BaseQuery& base) { return base.pull == Pull::kNever; });
  }
};

/// A base image as the parent has it.
struct BaseState {
  std::string id;                    ///< "sha256:…"; empty: not there
  std::vector<std::string> digests;  ///< "sha256:…", by which registries know it
  std::string problem;               ///< the engine's words, where pulling failed
};

struct Probe {
  std::map<std::string, std::string> image_ids;  ///< of those wanted that are there: reference → "sha256:…"
  std::map<std::string, BaseState> bases;        ///< by reference, all that were asked for
  std::vector<ContainerState> containers;
  std::string generation;  ///< of the project, read before its containers were (project_lock.h); empty: none
  std::string stack_stamp, stack_tree;  ///< of the project's staged files (docs/stage.md); empty: no whole stage
  std::optional<ParentFacts> facts;
};

/// Asks the parent; pulls what the bases ask for, as a job that ends with otto. kDockerMissing, kDockerDenied,
/// kRemoteFailed with the engine's words, kConnectionLost, kInterrupted.
Result<Probe> probe_parent(transport::Remote& remote, const ParentSettings& settings, const ProbeRequest& request,
                           const std::stop_token& stop = {});

/// What a failed docker command means: kDockerMissing or kDockerDenied with hint where the engine says so, else
/// `otherwise` with the last lines of stderr.
Error docker_error(const transport::Output& output, std::string_view host_id, ErrorCode otherwise,
                   std::string_view what);

/// What helps with a container that is "paused", "restarting" or "unhealthy": "on host 'pepper_seed' `docker unpause
/// 0123456789ab` lets it go on".
std::string idle_remedy(std::string_view state, std::string_view host_id, std::string_view container_id);

}  // namespace otto::parent
