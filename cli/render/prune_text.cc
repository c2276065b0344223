#include "cli/render/prune_text.h"

#include <fmt/format.h>

#include <vector>

#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

std::vector<Cell> row_of(const docker::PruneEntry& entry, std::string what, Paint paint, const Style& style) {
  return {{std::string(prune_kind_name(entry.kind))},
          {image_reference(entry.name, style), Paint::kBold},
          {text::human_size(entry.bytes), Paint::kNone, true},
          {std::move(what), paint},
          {one_line(entry.why), Paint::kDim}};
}

std::string one_report(const docker::PruneReport& report, bool dry_run, const Style& style) {
  std::vector<std::vector<Cell>> rows;
  std::uint64_t bytes = 0;
  for (const docker::PruneEntry& entry : report.removed) {
    rows.push_back(row_of(entry, dry_run ? "would be removed" : "removed", Paint::kYellow, style));
    bytes += entry.bytes;
  }
  for (const docker::PruneEntry& entry : report.kept) {
    if (style.verbose > 0) rows.push_back(row_of(entry, "kept", Paint::kDim, style));
  }
  const std::string heading = fmt::format("{} on {}", one_line(report.repo), one_line(report.parent));
  if (report.removed.empty()) {
    return table({}, rows, style) +
           fmt::format("{}: nothing to prune ({} needed)\n", heading, counted(report.kept.size(), "thing"));
  }
  return table({}, rows, style) + fmt::format("{}: {} {}, up to {}\n", heading, counted(report.removed.size(), "thing"),
                                              dry_run ? "would be removed" : "removed", text::human_size(bytes));
}

}  // namespace

std::string_view prune_kind_name(docker::PruneKind kind) {
  switch (kind) {
    case docker::PruneKind::kTag: return "tag";
    case docker::PruneKind::kStage: return "stage";
    case docker::PruneKind::kRecord: return "record";
  }
  panic("unknown kind", __FILE__, __LINE__);
}

std::string render_prune(std::span<const docker::PruneReport> reports, bool dry_run, const Style& style) {
  std::string out;
  for (const docker::PruneReport& report : reports) {
    if (!report.error) out += one_report(report, dry_run, style);
  }
  return out;
}

}  // namespace otto::cli
