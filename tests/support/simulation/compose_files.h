// What Compose makes of a stack's files on a World: JSON, with env files, variables and otto's override put in.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/parent/composing.h"
#include "tests/support/simulation/world.h"

namespace otto::simulation {

Error compose_error(const std::string& words);

/// Of the first of `stack.files`, among these.
Result<nlohmann::json> config_of(const parent::ComposeStack& stack, const Tree& files);
/// Of the files that are staged.
Result<nlohmann::json> staged_config(const World& world, const parent::ComposeStack& stack);
/// What a service's containers are made from beside its image, as text.
std::string definition_of(nlohmann::json service);

struct ServiceDefinition {
  std::string name, image, digest, account, lives_in;
  unsigned replicas = 1;
  std::optional<int> ends_with;
  bool has_check = false;
  std::vector<std::string> after;
  std::string definition;
};

/// Of these services, each after those that it depends on.
Result<std::vector<ServiceDefinition>> definitions(const nlohmann::json& config, const std::string& override_yaml,
                                                   const std::vector<std::string>& wanted);

}  // namespace otto::simulation
