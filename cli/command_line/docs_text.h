// What help, reference and man page share: the texts every verb has in common, and how an option is spelled out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"

namespace otto::cli {

extern const std::string_view kAbout;

struct ExitCode {
  std::string_view code, meaning;
};
std::span<const ExitCode> exit_codes();

struct Variable {
  std::string_view name, meaning;
};
/// Environment variables that the command line reads.
std::span<const Variable> variables();

/// The verb's own operands and options, then the global ones.
std::vector<OptionInfo> options_of(const VerbInfo& verb);
std::vector<OptionInfo> global_options();

/// "docker build [OPTIONS] [IMAGE...]".
std::string synopsis(const VerbInfo& verb);
/// "-j, --jobs N".
std::string option_left(const OptionInfo& option);
/// The help with " (default: 4)" where there is one.
std::string option_help(const OptionInfo& option);

/// Words filled into lines of at most `width` columns.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);
/// Paragraphs separated by empty lines, each wrapped.
std::string paragraphs(std::string_view text, std::size_t width);

}  // namespace otto::cli
