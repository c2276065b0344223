// Errors and notices as people read them on standard error.
//
//   otto: error: unknown image 'apj' … did you mean 'api'?
//     while reading /repo/.otto/settings.toml
//     hint: images here: api, db
//
// Remote text is made printable here. The JSON form is in json.h. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "cli/render/style.h"
#include "graph/base/result.h"

namespace otto::cli {

/// The whole block, ending in a newline. Further lines of the message are indented under the first.
std::string render_error(const Error& error, const Style& style);

/// "otto: warning: …\n".
std::string render_warning(std::string_view message, const Style& style);
/// "otto: …\n".
std::string render_notice(std::string_view message);

}  // namespace otto::cli
