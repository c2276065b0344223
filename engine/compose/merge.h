// How Compose lays one definition over another: files of a project, documents of a file, a service over the one that it
// extends.
//
// Maps are joined member by member, lists one behind the other, anything else is replaced; some keys have rules of
// their own, and in some lists an item replaces an earlier one of the same name. After compose-spec's "Merge and
// override"; Compose 2.26 is the judge (tests/differential). Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/compose/node.h"

namespace otto::compose {

/// Keys from the root to a value: {"services", "api", "build"}.
using NodePath = std::vector<std::string>;

/// Lays `over` over `base`, both standing at `path`.
void merge(Node& base, Node over, const NodePath& path);

/// In lists whose items have names, of those with one name the last is kept, at the first one's place.
void keep_last_of_each(Node& root, const NodePath& path = {});

/// Takes tagged values out of a document: where `!reset` and `!override` stand. What is reset goes, too.
std::vector<NodePath> take_tagged(Node& document);

/// Removes what stands at these paths, where `root` stands at `at`.
void remove_at(Node& root, const std::vector<NodePath>& paths, const NodePath& at = {});

/// Whether two definitions are the same, and mean the same paths.
bool is_same(const Node& a, const Node& b);

}  // namespace otto::compose
