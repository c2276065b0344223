#include "cli/render/doctor_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr std::size_t kDetailColumn = 15;

struct Tally {
  std::size_t failed = 0, warnings = 0;
};

struct Mark {
  std::string_view symbol;
  Paint paint;
};

Mark mark_of(CheckStatus status, const Style& style) {
  switch (status) {
    case CheckStatus::kOk: return {style.check(), Paint::kGreen};
    case CheckStatus::kWarning: return {"!", Paint::kYellow};
    case CheckStatus::kFailed: return {style.cross(), Paint::kRed};
    case CheckStatus::kSkipped: return {"-", Paint::kDim};
  }
  return {"?", Paint::kNone};
}

/// Printable, further lines under the first.
std::string in_column(std::string_view text) {
  const std::string clean = text::printable(text::trim(text));
  const std::vector<std::string> lines = text::split(clean, '\n');
  return text::join(lines, "\n" + std::string(kDetailColumn, ' '));
}

std::string line(CheckStatus status, std::string_view step, const std::string& detail, const Style& style) {
  const Mark mark = mark_of(status, style);
  const std::size_t used = 4 + display_width(step);
  const std::size_t blanks = detail.empty() ? 0 : used < kDetailColumn ? kDetailColumn - used : 1;
  return fmt::format("  {} {}{}{}\n", style.paint(mark.paint, mark.symbol), step, std::string(blanks, ' '), detail);
}

std::string render_check(const Check& check, const Style& style) {
  std::string detail = check.detail;
  // A failure's message names its host.
  if (!check.subject.empty() && check.status != CheckStatus::kFailed) {
    detail = check.subject + (detail.empty() ? "" : ": " + detail);
  }
  std::string out = line(check.status, check.step, in_column(detail), style);
  if (!check.hint.empty()) {
    out += fmt::format("{}{} {}\n", std::string(kDetailColumn, ' '), style.paint(Paint::kBold, "mend:"),
                       in_column(check.hint));
  }
  return out;
}

std::string render_checks(const std::string& title, const std::vector<Check>& checks, const Style& style,
                          Tally& tally) {
  std::string out = style.paint(Paint::kBold, one_line(title)) + "\n";
  std::vector<std::string> skipped;
  for (const Check& check : checks) {
    tally.failed += check.status == CheckStatus::kFailed ? 1 : 0;
    tally.warnings += check.status == CheckStatus::kWarning ? 1 : 0;
    if (check.status != CheckStatus::kSkipped || style.verbose > 0) {
      out += render_check(check, style);
    } else if (std::find(skipped.begin(), skipped.end(), check.step) == skipped.end()) {
      skipped.push_back(check.step);
    }
  }
  if (!skipped.empty()) out += line(CheckStatus::kSkipped, "skipped", text::join(skipped, ", "), style);
  return out;
}

}  // namespace

std::string render_diagnosis(const Diagnosis& diagnosis, const Style& style) {
  Tally tally;
  std::string out = render_checks("configuration", diagnosis.configuration, style, tally);
  for (const HostDiagnosis& host : diagnosis.hosts) out += render_checks(host.host_id, host.checks, style, tally);
  const std::string warnings = tally.warnings == 0 ? "" : ", " + counted(tally.warnings, "warning");
  return out + (tally.failed == 0 ? "everything works" : counted(tally.failed, "failure")) + warnings + "\n";
}

}  // namespace otto::cli
