// A compose stack as otto reasons about it: what each service is made from and what must follow when it is recreated.
//
// Made from the parent's `docker compose config --format json`, with values digested at once: the model can be kept in
// the database and shown, it holds no environment value. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/compose_file.h"
#include "engine/parent/composing.h"
#include "engine/stack/service_definition.h"
#include "graph/base/result.h"
#include "graph/digest.h"

namespace otto::stack {

using parent::Dependency;
using parent::DependencyCondition;

struct ServiceModel {
  std::string name;
  std::string image;  ///< as resolved by compose; empty with only `build:`
  /// Of what its container is made from: its definition and those of the networks, volumes, configs and secrets it
  /// uses. Not `image` and `build` (the image id speaks for them), nor what never reaches a container: depends_on,
  /// profiles, scale, pull_policy, develop, x-….
  graph::Digest digest;
  std::vector<Dependency> depends_on;  ///< sorted by service
  std::vector<std::string>
      lives_in;  ///< services whose namespaces or volumes it shares: network_mode, ipc, pid, volumes_from
  unsigned replicas = 1;
  bool restarts = false;  ///< a restart policy other than "no"
  /// Having exited 0 is its purpose: another service waits for that, or its definition says so (`restart: "no"` written
  /// out; `x-otto: {oneshot: true}`, which Compose does not hand on: stack_run.cc adds it).
  bool one_shot = false;
  std::optional<unsigned> stop_grace_s;  ///< stop_grace_period, in whole seconds; absent: none is written
  std::string container_name;            ///< given in the file; empty: Compose makes one
  bool has_healthcheck = false;
  std::vector<std::string> profiles;
  ServiceDefinition definition;  ///< what the digest is of; empty in a model from the memo
};

struct StackModel {
  std::map<std::string, ServiceModel> services;
  std::vector<std::string> networks, volumes;  ///< names on the engine, sorted; external ones are not the stack's
  std::string stage_directory;                 ///< that of the files it was made from
};

std::set<std::string> one_shots(const StackModel& model);
std::map<std::string, graph::Digest> digests(const StackModel& model);

/// What stands behind a resolved configuration and is not shown by it.
struct ModelSources {
  std::string stage_directory = {};
  std::string project_directory = ".";  ///< staged path; profiles of `security_opt` are relative to it
  /// Digest of each staged input by its staged path, counted into the services that refer to it: configs, secrets,
  /// profiles. Compose has put env files into the definition already; edits of bind mounts reach running containers.
  std::map<std::string, graph::Digest> staged = {};
  /// Of the client, with their values, of which none is kept: configs and secrets may be taken from them.
  std::map<std::string, std::string> variables = {};

  /// What one service's definition was written with. For telling changes only: of keys in which variables stand no
  /// value is shown, of a service that was not read whole here nothing.
  struct OfService {
    compose::ComposeService::Sources written = {};
    std::set<std::string> staged_files = {};  ///< staged paths of `written.files`
  };
  std::map<std::string, OfService> services = {};
  /// Goes into the digests of parts, so that nobody can guess at short values: they are compared in one memo only.
  std::string secret = {};
};

/// kComposeFailed where the text is no such document. Ask with `--profile '*'`: Compose leaves out services whose
/// profile is not active. Sources below `stage_directory` count with it: a container's mounts do not follow a stage
/// that was moved or made anew.
Result<StackModel> parse_stack_model(std::string_view config_json, const ModelSources& sources);

std::string serialize(const StackModel& model);
/// nothing for bytes of another version or damaged ones: ask the parent again.
std::optional<StackModel> parse_stored_stack_model(std::string_view bytes);

/// The override that pins images and marks containers: for each service of `pins` its exact image, for every service of
/// `digests` the labels kServiceDigestLabel and kAccountLabel (Compose adds them to the service's own labels). Pinned
/// services are never pulled. YAML.
std::string compose_override(const std::map<std::string, std::string>& pins,
                             const std::map<std::string, graph::Digest>& digests, std::string_view account);

inline constexpr std::string_view kServiceDigestLabel = "otto.service-digest";
/// Whose containers they are: the account on the parent. Two accounts' projects of one name would fight over them.
inline constexpr std::string_view kAccountLabel = "otto.account";

}  // namespace otto::stack
