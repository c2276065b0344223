#include "cli/command_line/docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/command_line/definition.h"
#include "cli/command_line/docs_text.h"
#include "cli/command_line/options.h"
#include "cli/command_line/verb.h"
#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr std::size_t kHelpWidth = 96;
constexpr std::size_t kHelpColumn = 30;

std::string section_title(std::string_view title, const Style& style) {
  return fmt::format("\n{}\n", style.paint(Paint::kBold, title));
}

/// "  -j, --jobs N      text", the text wrapped in a column of its own.
std::string help_item(std::string_view left, std::string_view help) {
  const std::vector<std::string> lines = wrapped(help, kHelpWidth - kHelpColumn);
  std::string out = fmt::format("  {}", left);
  const bool fits = display_width(left) + 4 <= kHelpColumn;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 && fits) {
      out.append(kHelpColumn - 2 - display_width(left), ' ');
    } else {
      out.append("\n").append(kHelpColumn, ' ');
    }
    out += lines[i];
  }
  return out + "\n";
}

std::string help_of_options(const std::vector<OptionInfo>& all, const Style& style) {
  std::string out, group;
  for (const OptionInfo& option : all) {
    if (option.operand) continue;
    if (option.group != group) out += section_title(option.group + ":", style);
    group = option.group;
    out += help_item(option_left(option), option_help(option));
  }
  return out;
}

std::string help_of_verb(const VerbInfo& verb, const Style& style) {
  std::string out = fmt::format("{} otto {}\n\n{}", style.paint(Paint::kBold, "Usage:"), synopsis(verb),
                                paragraphs(verb.description, kHelpWidth));
  const std::vector<OptionInfo> options = options_of(verb);
  std::string operands;
  for (const OptionInfo& option : options) {
    if (option.operand) operands += help_item(option.names, option_help(option));
  }
  if (!operands.empty()) out += section_title("Arguments:", style) + operands;
  out += help_of_options(options, style);
  out += section_title("Examples:", style);
  for (const Example& example : verb.examples) out += fmt::format("  # {}\n  {}\n", example.says, example.command);
  out += section_title("Exit codes:", style);
  if (!verb.exit_codes.empty()) {
    for (const std::string& line : wrapped(verb.exit_codes, kHelpWidth - 2)) out += fmt::format("  {}\n", line);
  }
  for (const ExitCode& code : exit_codes()) out += fmt::format("  {:>4}  {}\n", code.code, code.meaning);
  return out;
}

std::string help_of_group(std::string_view group, const Style& style) {
  std::string out = fmt::format("{} otto {}{}COMMAND\n\n", style.paint(Paint::kBold, "Usage:"), group,
                                group.empty() ? "[OPTIONS] " : " [OPTIONS] ");
  if (group.empty()) out += paragraphs(kAbout, kHelpWidth);
  for (const GroupInfo& info : all_groups()) {
    if (info.path == group) out += fmt::format("{}{}.\n", char(std::toupper(info.summary[0])), info.summary.substr(1));
  }
  out += section_title("Commands:", style);
  for (const VerbInfo* verb : all_verbs()) {
    if (group.empty() || verb->path.starts_with(std::string(group) + " ")) {
      out += help_item(verb->path, verb->summary);
    }
  }
  out += help_of_options(global_options(), style);
  return out + fmt::format("\n'otto COMMAND -h' says more of a command, with examples and exit codes.\n");
}

}  // namespace

std::string help_text(std::string_view path, const Style& style) {
  for (const VerbInfo* verb : all_verbs()) {
    if (verb->path == path) return help_of_verb(*verb, style);
  }
  return help_of_group(path.substr(0, path.find(' ')), style);
}

}  // namespace otto::cli
