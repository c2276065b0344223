// Compose's variable interpolation: which names a text takes from outside, and the text with their values put in.
//
// After compose-spec's "Interpolation": $NAME, ${NAME}, the operators :- - :+ + :? ?, nesting inside operands, `$$` for
// a dollar. Dockerfiles have their own dialect (dockerfile_words.h). Pure: values come through a Lookup, so that the
// environment, .env files and tests are the same to it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::compose {

/// The value of a name, or nothing where it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view)>;

/// Names that a text interpolates: $NAME, ${NAME}, ${NAME:-default with ${NESTED}}; `$$` is a literal dollar. In order
/// of appearance, without duplicates; malformed parts are passed over.
std::vector<std::string> interpolated_names(std::string_view text);

/// The text with values put in. `unset` gives what stands for a name that has no value and no default (null: nothing).
/// kConfig for "${…" that is no interpolation, and for a name that `:?` or `?` requires.
Result<std::string> interpolate(std::string_view text, const Lookup& lookup,
                                const std::function<std::string(std::string_view)>& unset = nullptr);

}  // namespace otto::compose
