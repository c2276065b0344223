// Compose on a World, in the order of steps of v2 (2.26) and of v1 (1.29), as measured by killing both.
#pragma once

#include <memory>
#include <string>

#include "engine/parent/composing.h"
#include "tests/support/simulation/parent.h"

namespace otto::simulation {

/// `client` outlives it.
std::unique_ptr<parent::Compose> make_compose(Client& client, const std::string& project, const std::stop_token& stop);

}  // namespace otto::simulation
