// The shell-like words of Dockerfile instructions: splitting, unquoting, and expansion of build args.
//
// After BuildKit's shlex: single quotes are literal, double quotes expand, the escape character (a directive may change
// it) protects the next one, ${NAME} takes the modifiers :- - :+ + :? ? # ## % %% / //. Compose's dialect differs and
// has its own file (interpolation.h). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::images {

struct Word {
  std::string_view text;  ///< as written, quotes and all
  std::size_t begin = 0;  ///< within the line
};

/// Words between blanks; quotes and escapes keep blanks inside a word.
std::vector<Word> split_words(std::string_view line, char escape);

/// The word without quotes and escapes, nothing expanded.
std::string unquote_word(std::string_view word, char escape);

using ArgLookup = std::function<std::optional<std::string>(std::string_view)>;

/// The word unquoted and with its variables' values; unset ones are empty. kConfig (without place) for `${…` that is
/// not closed, an unknown modifier, a name that `?` requires.
Result<std::string> expand_word(std::string_view word, char escape, const ArgLookup& lookup);

}  // namespace otto::images
