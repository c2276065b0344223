// From argv to one verb with its options filled in.
//
// Finds the verb first and hands only that verb's tokens to its Definition, so that an image may be called `up` and a
// remote command `docker`, global options stand before or after the verb, and only one parser is built. Touches no
// file, terminal or environment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line/options.h"
#include "cli/command_line/verb.h"
#include "graph/base/result.h"

namespace otto::cli {

struct CommandLine {
  GlobalOptions options;           ///< after an error: as far as the error's own output needs them
  const VerbInfo* info = nullptr;  ///< null: an option such as --list-hosts stands for the verb, or help was asked for
  std::unique_ptr<Verb> verb;
  std::string target;               ///< the word given for a placeholder (`otto host ID …`)
  std::optional<std::string> help;  ///< the path whose help was asked for: "", "docker", "docker build"
  std::optional<Error> error;       ///< kUsage
};

/// `words`: argv without the program's name.
CommandLine parse_command_line(const std::vector<std::string>& words);

}  // namespace otto::cli
