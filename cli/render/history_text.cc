#include "cli/render/history_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

using docker::RecordedAction;
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

std::string images_text(const docker::ExplainReport& report, std::int64_t now_ms, const Style& style) {
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

std::string last_action_text(const docker::ServiceExplanation& service, std::int64_t now_ms, const Style& style) {
  if (!service.last_action) return style.paint(Paint::kDim, "  nothing that was done to it is remembered here") + "\n";
  const RecordedAction& last = *service.last_action;
  return fmt::format("  last {} {}{}\n", last.action, ago(last.at_ms, now_ms),
                     last.reasons.empty() ? "" : ", because:") +
         render_reasons(last.reasons, style);
}

std::string verdict_text(const docker::ServiceExplanation& service, const Style& style) {
  if (!service.now) return {};
  if (!service.now->reasons.empty()) return render_reasons(service.now->reasons, style);
  if (!service.now->reason.empty()) return fmt::format("    {}\n", one_line(service.now->reason));
  return fmt::format("    checked: its definition, its image, its containers {} nothing changed\n", style.dash());
}

std::string services_text(const docker::ExplainReport& report, std::int64_t now_ms, const Style& style) {
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> below;
  for (const docker::ServiceExplanation& service : report.services) {
    const bool work = service.now && !service.now->reasons.empty();
    const std::string status =
        service.now ? fmt::format("{}{}", work ? "would be " : "", docker::action_name(service.now->action))
                    : "unknown";
    rows.push_back({{one_line(service.service), Paint::kBold},
                    {status, work ? Paint::kYellow : Paint::kDim},
                    {one_line(service.host_id)}});
    below.push_back(verdict_text(service, style) + last_action_text(service, now_ms, style));
  }
  return table_with_notes(rows, below, style);
}

struct Line {
  std::int64_t at_ms = 0;
  std::vector<Cell> row;
  std::string below;
};

Line line_of(const RecordedBuild& build, bool named, const Style& style) {
  return {build.at_ms,
          {{rfc3339(build.at_ms)},
           {named ? one_line(build.repo) : ""},
           {one_line(build.image), Paint::kBold},
           {std::string(recorded_status(build)), was_built(build) ? Paint::kGreen : Paint::kDim},
           {one_line(build.parent)},
           {image_reference(build.tag, style)},
           {cost(build), Paint::kNone, true},
           {upload_text(build.uploaded_bytes, build.uploaded_files), Paint::kDim}},
          render_reasons(build.reasons, style)};
}

Line line_of(const RecordedAction& action, bool named, const Style& style) {
  return {action.at_ms,
          {{rfc3339(action.at_ms)},
           {named ? one_line(action.repo) : ""},
           {one_line(action.service), Paint::kBold},
           {one_line(action.action), Paint::kGreen},
           {one_line(action.parent)},
           {image_reference(action.image, style)},
           {""},
           {""}},
          render_reasons(action.reasons, style)};
}

}  // namespace

std::string render_history(const docker::History& history, const Style& style) {
  std::set<std::string> repos;
  for (const RecordedBuild& build : history.builds) repos.insert(build.repo);
  for (const RecordedAction& action : history.services) repos.insert(action.repo);
  std::vector<Line> lines;
  for (const RecordedAction& action : history.services) lines.push_back(line_of(action, repos.size() > 1, style));
  for (const RecordedBuild& build : history.builds) lines.push_back(line_of(build, repos.size() > 1, style));
  std::ranges::stable_sort(lines, std::greater(), &Line::at_ms);
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> below;
  for (Line& line : lines) {
    rows.push_back(std::move(line.row));
    below.push_back(std::move(line.below));
  }
  return lines.empty() ? "nothing is remembered here\n" : table_with_notes(rows, below, style);
}

std::string render_explanations(std::span<const docker::ExplainReport> reports, std::int64_t now_ms,
                                const Style& style) {
  std::string out;
  for (const docker::ExplainReport& report : reports) {
    const std::string heading = fmt::format("{} on {}", report.repo, report.parent);
    if (!report.parent_reachable) out += fmt::format("{}: the host could not be asked what is stale now\n", heading);
    const bool empty = report.images.empty() && report.services.empty();
    if (empty && report.error) continue;
    if (empty) {
      out += heading + ": no images, no services\n";
      continue;
    }
    if (reports.size() > 1) out += style.paint(Paint::kBold, heading) + "\n";
    out += images_text(report, now_ms, style) + services_text(report, now_ms, style);
  }
  return out;
}

}  // namespace otto::cli
