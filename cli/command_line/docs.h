// Help, command reference and man page, all read back from the verbs' own definitions, so that they cannot drift.
//
// Pure functions; the only input is the table of verbs. docgen/main.cc writes the two documents to docs/cli.
#pragma once

#include <string>
#include <string_view>

#include "cli/render/style.h"

namespace otto::cli {

/// `path`: "" for otto itself, a group ("docker"), or a verb ("docker build").
std::string help_text(std::string_view path, const Style& style);

/// docs/cli/reference.md.
std::string reference_markdown();

/// docs/cli/otto.1, in man(7).
std::string man_page();

}  // namespace otto::cli
