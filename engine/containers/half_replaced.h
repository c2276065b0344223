// What an interrupted Compose call left of a container and its replacement, and what makes it one container again.
//
// Compose replaces a container in steps, and leaves two behind when it is ended between them. They are told by their
// names: `<12 hex digits>_<plain name>`, where the digits are the id of the container that is replaced. Compose v2
// gives that name to the new container while the old one is still there; v1 gives it to the old one. The label
// com.docker.compose.replace stays on healthy containers and tells nothing. Pure; who may act on it holds the project's
// lock (parent/project_lock.h), because a replacement that is going on looks the same.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/composing.h"
#include "engine/parent/container_state.h"

namespace otto::containers {

using parent::PutRight;

struct Salvage {
  std::vector<PutRight> steps;                     ///< in this order; empty: nothing is half replaced
  std::vector<parent::ContainerState> containers;  ///< as they are after the steps
};

/// `given_names`: those that the stack gives to containers itself (`container_name`), which are nobody's temporary
/// ones.
///
/// The rules, by what Compose 1.29 and 2.26 leave when they are killed:
///   the digits are the container's own id (v1's original)   the plain name is free: renamed back, to be replaced;
///                                                            its holder has started: removed;
///                                                            else its holder is removed, and it is renamed back
///   other digits (v2's replacement)                          the plain name is free: renamed to it;
///                                                            else removed, and its holder is to be replaced whatever
///                                                            its digest says, because it may have been told to stop
Salvage salvage(std::vector<parent::ContainerState> containers, const std::set<std::string>& given_names);

}  // namespace otto::containers
