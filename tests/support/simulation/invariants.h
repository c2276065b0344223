// What must hold of a World, by the files of a checkout and not by what otto says. Each throws Broken.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/simulation/checkout.h"
#include "tests/support/simulation/machine.h"
#include "tests/support/simulation/world.h"

namespace otto::simulation {

/// What a person sees of the project, for comparing.
struct Seen {
  std::map<std::string, std::vector<std::string>> ids;     // service → containers
  std::map<std::string, std::set<std::string>> made_from;  // service → definition and image's content of each
  std::set<std::string> stopped;                           // services of which a container has ended
};

Seen look(World& world);

/// The tag tells the truth.
void check_tags(const World& world);
/// An `up` that says it is done has made the parent what the checkout says.
void check_stack(World& world, const Checkout& checkout);
/// Of a stack that was whole, only what changed is replaced, and what cannot live without it.
void check_replaced(World& world, const Checkout& checkout, const Seen& before);
/// A prune has left what the checkout is made from now, and what containers run. `before`: the tags that there were.
void check_pruned(World& world, const Checkout& checkout, const std::map<std::string, std::string>& before);
/// No container was made anew without the anonymous volume of the one that it stands for.
void check_volumes(const World& world);

}  // namespace otto::simulation
