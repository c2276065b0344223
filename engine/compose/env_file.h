// Compose's env files (`.env` and `env_file:`): NAME=value lines as compose-go's dotenv package reads them.
//
// Quotes (single: literal; double: escapes and interpolation; both may span lines), `export`, `NAME: value`, a bare
// NAME taken from outside, comments, interpolation of values by names from outside first, then by earlier lines. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/interpolation.h"
#include "graph/base/result.h"

namespace otto::compose {

/// `outside` wins over earlier lines where values interpolate names, as in Compose. kConfig "FILE:LINE: …".
Result<std::map<std::string, std::string>> parse_env_file(std::string_view text, std::string_view file_name,
                                                          const Lookup& outside);

/// Names that the file takes, or would take, from outside: interpolated ones and bare NAMEs; sorted. Never fails: of a
/// malformed file, whatever looks like an interpolation.
std::vector<std::string> env_file_names(std::string_view text);

}  // namespace otto::compose
