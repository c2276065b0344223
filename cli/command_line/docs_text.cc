#include "cli/command_line/docs_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/command_line/options.h"
#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {

constinit const std::string_view kAbout =
    "otto builds Docker images and runs compose stacks on lab hosts over SSH, doing only what a change deserves, and "
    "treats every container as a host.";

std::span<const ExitCode> exit_codes() {
  static constexpr std::array<ExitCode, 6> kCodes = {{
      {"0", "done, or nothing to do"},
      {"1", "the operation failed: a build, a compose call, a transfer"},
      {"2", "usage or configuration, or a name that nobody declared"},
      {"3", "a host could not be reached, or refused authentication or its key"},
      {"4", "partly done: some hosts or images failed, and are named"},
      {"130", "interrupted"},
  }};
  return kCodes;
}

std::span<const Variable> variables() {
  static constexpr std::array<Variable, 8> kVariables = {{
      {"OTTO_LAB", "the labs, where --lab is not given"},
      {"OTTO_SUT_DIRS", "repo directories separated by ',' or ':', where --repo-dir is not given"},
      {"OTTO_STATE_DIR", "where the memo lives, instead of the XDG state directory"},
      {"OTTO_COMPOSE_SUFFIX", "the end of the compose project's name, instead of the user's name"},
      {"NO_COLOR", "set and not empty: no colour"},
      {"CLICOLOR, CLICOLOR_FORCE", "CLICOLOR=0: no colour; CLICOLOR_FORCE=1: colour also without a terminal"},
      {"LC_ALL, LC_CTYPE, LANG", "whether progress and symbols are UTF-8 or ASCII"},
      {"TERM", "dumb or empty: no live progress"},
  }};
  return kVariables;
}

std::vector<OptionInfo> options_of(const VerbInfo& verb) {
  Definition definition;
  GlobalOptions globals;
  const auto instance = verb.make();
  definition.group("Options");
  instance->define(definition);
  define_global_options(definition, globals, instance->draws());
  std::vector<OptionInfo> all = definition.info();
  std::ranges::stable_sort(all, {}, [](const OptionInfo& option) { return option.group == "Global options"; });
  return all;
}

std::vector<OptionInfo> global_options() {
  Definition definition;
  GlobalOptions globals;
  define_global_options(definition, globals);
  return definition.info();
}

std::string synopsis(const VerbInfo& verb) {
  return fmt::format("{} [OPTIONS]{}{}", verb.path, verb.operands.empty() ? "" : " ", verb.operands);
}

std::string option_left(const OptionInfo& option) {
  return option.type.empty() ? option.names : fmt::format("{} {}", option.names, option.type);
}

std::string option_help(const OptionInfo& option) {
  return option.default_text.empty() ? option.help : fmt::format("{} (default: {})", option.help, option.default_text);
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (const std::string& word : text::split(text, ' ')) {
    const std::size_t used = display_width(lines.back());
    if (used != 0 && used + 1 + display_width(word) > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

std::string paragraphs(std::string_view text, std::size_t width) {
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find("\n\n", begin), text.size());
    if (begin != 0) out += "\n";
    for (const std::string& line : wrapped(text.substr(begin, end - begin), width)) out += line + "\n";
    begin = end + 2;
  }
  return out;
}

}  // namespace otto::cli
