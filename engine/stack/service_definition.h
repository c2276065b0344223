// What a service is made from, part by part: for telling which part changed. No verdict hangs on it; that is the
// digest's (stack_model.h), and a definition is kept in the memo under the digest that it explains.
//
// A part is a key of the resolved definition, or what stands behind keys: a staged file, a secret, a variable of the
// client. Values are digested. Shown, and so kept, are only those that can be no secret: of keys that are known to hold
// none, and in which no variable stands. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/digest.h"
#include "graph/reasons.h"

namespace otto::stack {

struct DefinitionPart {
  graph::ReasonKind kind = graph::ReasonKind::kDefinitionChanged;  ///< the reason that a change of it is
  std::string subject;                                             ///< "ports", "environment.LEVEL", a file, a name
  graph::Digest digest;                                            ///< of the value
  std::string shown = {};                                          ///< the value, as JSON; empty: it is not shown
  bool operator==(const DefinitionPart&) const = default;
};

/// Sorted by kind and subject, each pair once.
using ServiceDefinition = std::vector<DefinitionPart>;

/// Sorts; parts of equal kind and subject become one.
ServiceDefinition make_definition(std::vector<DefinitionPart> parts);

std::string serialize(const ServiceDefinition& definition);
/// nullopt for bytes of another version, or damaged ones.
std::optional<ServiceDefinition> parse_stored_definition(std::string_view bytes);

/// Which parts differ: causes (files, secrets, variables) before the keys that they show in. The detail says "added",
/// "removed", "changed", or from what to what.
std::vector<graph::Reason> definition_changes(const ServiceDefinition& before, const ServiceDefinition& now);

}  // namespace otto::stack
