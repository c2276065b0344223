// A compose stack as otto reasons about it: what each service is made from and what must follow when it is recreated.
//
// Made from the parent's `docker compose config --format json`, with values digested at once: the model can be kept in
// the database and shown, it holds no environment value. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "graph/digest.h"

namespace otto::docker {

enum class DependencyCondition { kStarted, kHealthy, kCompleted };

struct Dependency {
  std::string service;
  DependencyCondition condition = DependencyCondition::kStarted;
  bool restart = false;  ///< depends_on.restart: recreated together
  bool required = true;
};

struct ServiceModel {
  std::string name;
  std::string image;  ///< as resolved by compose; empty with only `build:`
  graph::Digest
      digest;  ///< of its whole definition without `image`, and of the networks, volumes, configs and secrets it uses
  std::vector<Dependency> depends_on;  ///< sorted by service
  std::vector<std::string>
      lives_in;  ///< services whose namespaces or volumes it shares: network_mode, ipc, pid, volumes_from
  unsigned replicas = 1;
  bool restarts = false;  ///< a restart policy other than "no"
  bool has_healthcheck = false;
  std::vector<std::string> profiles;
};

struct StackModel {
  std::map<std::string, ServiceModel> services;
  std::vector<std::string> networks, volumes;  ///< names on the engine
};

/// kComposeFailed where the text is no such document. `staged`: digest of each staged input file by staged path prefix
/// (`stage_directory`/path), counted into the services that refer to it (env_file is already resolved by compose;
/// configs, secrets; not bind mounts: edits there reach the running container).
Result<StackModel> parse_stack_model(std::string_view config_json, std::string_view stage_directory,
                                     const std::map<std::string, graph::Digest>& staged);

std::string serialize(const StackModel& model);
std::optional<StackModel> parse_stored_stack_model(std::string_view bytes);

/// The override that pins images and marks containers: for each service of `pins` its exact image, for every service of
/// `digests` the label kServiceDigestLabel. YAML.
std::string compose_override(const std::map<std::string, std::string>& pins,
                             const std::map<std::string, graph::Digest>& digests);

inline constexpr std::string_view kServiceDigestLabel = "otto.service-digest";

}  // namespace otto::docker
