#include "cli/render/reasons_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr std::size_t kMaxFiles = 10;

struct Marker {
  char sign;  ///< ' ': no file
  Paint paint;
};

Marker marker(graph::ReasonKind kind) {
  switch (kind) {
    case graph::ReasonKind::kFileAdded: return {'+', Paint::kGreen};
    case graph::ReasonKind::kFileRemoved: return {'-', Paint::kRed};
    case graph::ReasonKind::kFileChanged: return {'~', Paint::kYellow};
    case graph::ReasonKind::kModeChanged: return {'m', Paint::kCyan};
    default: return {' ', Paint::kNone};
  }
}

/// Lines that differ (graph/line_diff.h), one under the other.
bool is_line_diff(const graph::Reason& reason) {
  return reason.kind == graph::ReasonKind::kDockerfileChanged &&
         (reason.detail.starts_with("- ") || reason.detail.starts_with("+ "));
}

std::string line_diff(std::string_view detail, const Style& style) {
  std::string out;
  for (const std::string& line : text::split(detail, '\n')) {
    const Paint paint = line.starts_with('+') ? Paint::kGreen : line.starts_with('-') ? Paint::kRed : Paint::kDim;
    out += "      " + style.paint(paint, one_line(line)) + "\n";
  }
  return out;
}

std::string reason_line(const graph::Reason& reason, const Style& style) {
  const Marker mark = marker(reason.kind);
  std::string line =
      fmt::format("  {} {}", style.paint(mark.paint, std::string_view(&mark.sign, 1)), graph::reason_name(reason.kind));
  if (!reason.subject.empty()) line += " " + one_line(reason.subject);
  if (is_line_diff(reason)) return line + "\n" + line_diff(reason.detail, style);
  if (!reason.detail.empty()) line += " " + style.paint(Paint::kDim, fmt::format("({})", one_line(reason.detail)));
  return line + "\n";
}

}  // namespace

std::string render_reasons(std::span<const graph::Reason> reasons, const Style& style) {
  std::string causes, files;
  std::size_t listed = 0, hidden = 0;
  for (const graph::Reason& reason : reasons) {
    if (marker(reason.kind).sign == ' ') {
      causes += reason_line(reason, style);
    } else if (style.verbose > 0 || listed < kMaxFiles) {
      files += reason_line(reason, style);
      ++listed;
    } else {
      ++hidden;
    }
  }
  if (hidden > 0) files += fmt::format("    {} and {} more\n", style.ellipsis(), grouped(hidden));
  const auto is_mode = [](const graph::Reason& reason) { return reason.kind == graph::ReasonKind::kModeChanged; };
  if (!reasons.empty() && std::ranges::all_of(reasons, is_mode)) {
    files += fmt::format(
        "    only permission bits differ, which land in the image: a checkout under another umask? "
        "{} chmod brings them back\n",
        style.dash());
  }
  return causes + files;
}

std::string render_verdict(const docker::ImageResult& image, const Style& style) {
  if (!image.reasons.empty()) return render_reasons(image.reasons, style);
  if (image.checked.empty() || image.status != docker::ImageStatus::kCached) return {};
  return fmt::format("    checked: {} {} nothing changed\n", one_line(text::join(image.checked, ", ")), style.dash());
}

}  // namespace otto::cli
