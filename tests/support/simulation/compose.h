// Compose on a World, in the order of steps of v2 (2.26) and of v1 (1.29), as measured by killing both.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/parent/composing.h"
#include "tests/support/simulation/parent.h"

namespace otto::simulation {

/// What Compose makes of a stack's files (the first of `stack.files` is JSON), with env files and variables put in.
Result<nlohmann::json> config_of(const parent::ComposeStack& stack, const Tree& files);
/// What a service's containers are made from beside its image, as text.
std::string definition_of(nlohmann::json service);

/// `client` outlives it.
std::unique_ptr<parent::Compose> make_compose(Client& client, const std::string& project, const std::stop_token& stop);

}  // namespace otto::simulation
