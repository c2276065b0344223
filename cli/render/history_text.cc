#include "cli/render/history_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "cli/render/layout.h"
#include "cli/render/names.h"
#include "cli/render/reasons_text.h"
#include "cli/render/report_text.h"
#include "cli/render/times.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

using docker::RecordedBuild;

std::string cost(const RecordedBuild& build) {
  if (!was_built(build)) return {};
  return text::human_duration(build.duration_ms);
}

std::string last_build_text(const docker::ImageExplanation& image, std::int64_t now_ms, const Style& style) {
  if (!image.last_build) return style.paint(Paint::kDim, "  no build of it is remembered here") + "\n";
  const RecordedBuild& last = *image.last_build;
  const std::string same = last.tag == image.now.tag ? "" : " as " + image_reference(last.tag, style);
  return fmt::format("  last built {} on {}{}, because:\n", ago(last.at_ms, now_ms), one_line(last.parent), same) +
         render_reasons(last.reasons, style);
}

std::string explanations_text(const docker::ExplainReport& report, std::int64_t now_ms, const Style& style) {
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> below;
  for (const docker::ImageExplanation& image : report.images) {
    rows.push_back({{one_line(image.now.name), Paint::kBold},
                    {std::string(docker::status_name(image.now.status)), paint_of(image.now.status)},
                    {image_reference(image.now.tag, style)}});
    below.push_back(render_verdict(image.now, style) + last_build_text(image, now_ms, style));
  }
  return table_with_notes(rows, below, style);
}

}  // namespace

std::string render_history(std::span<const RecordedBuild> builds, const Style& style) {
  std::set<std::string> repos;
  for (const RecordedBuild& build : builds) repos.insert(build.repo);
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> below;
  for (const RecordedBuild& build : builds) {
    const bool built = was_built(build);
    rows.push_back({{rfc3339(build.at_ms)},
                    {repos.size() > 1 ? one_line(build.repo) : ""},
                    {one_line(build.image), Paint::kBold},
                    {std::string(recorded_status(build)), built ? Paint::kGreen : Paint::kDim},
                    {one_line(build.parent)},
                    {image_reference(build.tag, style)},
                    {cost(build), Paint::kNone, true},
                    {upload_text(build.uploaded_bytes, build.uploaded_files), Paint::kDim}});
    below.push_back(render_reasons(build.reasons, style));
  }
  return builds.empty() ? "no build is remembered here\n" : table_with_notes(rows, below, style);
}

std::string render_explanations(std::span<const docker::ExplainReport> reports, std::int64_t now_ms,
                                const Style& style) {
  std::string out;
  for (const docker::ExplainReport& report : reports) {
    const std::string heading = fmt::format("{} on {}", report.repo, report.parent);
    if (!report.parent_reachable) out += fmt::format("{}: the host could not be asked what is stale now\n", heading);
    if (report.images.empty() && report.error) continue;
    if (report.images.empty()) {
      out += heading + ": no images\n";
      continue;
    }
    if (reports.size() > 1) out += style.paint(Paint::kBold, heading) + "\n";
    out += explanations_text(report, now_ms, style);
  }
  return out;
}

}  // namespace otto::cli
