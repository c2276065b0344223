#include "cli/render/errors.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::cli {
namespace {

/// `text` with every line but the first indented, without blank lines at its end.
std::string indented(std::string_view text, std::string_view indent) {
  const std::string clean = text::printable(text);
  const std::string_view body = std::string_view(clean).substr(0, clean.find_last_not_of(" \n\t\r") + 1);
  std::string out;
  for (const std::string& line : text::split(body, '\n')) {
    if (!out.empty()) out.append("\n").append(line.empty() ? "" : indent);
    out += line;
  }
  return out;
}

}  // namespace

std::string render_error(const Error& error, const Style& style) {
  std::string out = fmt::format("otto: {} {}\n", style.paint(Paint::kRed, "error:"), indented(error.message, "  "));
  for (const std::string& step : error.context) {
    const std::string_view lead = step.starts_with("while ") || step.starts_with("in ") ? "" : "while ";
    out += fmt::format("  {}{}\n", lead, indented(step, "    "));
  }
  if (!error.hint.empty()) {
    out += fmt::format("  {} {}\n", style.paint(Paint::kBold, "hint:"), indented(error.hint, "        "));
  }
  return out;
}

std::string render_warning(std::string_view message, const Style& style) {
  return fmt::format("otto: {} {}\n", style.paint(Paint::kYellow, "warning:"), indented(message, "  "));
}

std::string render_notice(std::string_view message) { return fmt::format("otto: {}\n", indented(message, "  ")); }

}  // namespace otto::cli
