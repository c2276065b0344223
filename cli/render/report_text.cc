#include "cli/render/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/render/errors.h"
#include "cli/render/layout.h"
#include "cli/render/reasons_text.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

using docker::ImageResult;
using docker::ImageStatus;
using docker::ServiceAction;
using docker::ServiceResult;

bool has_tag(ImageStatus status) { return status != ImageStatus::kFailed && status != ImageStatus::kSkipped; }

std::string tag_text(const ImageResult& image, const Style& style) {
  return has_tag(image.status) ? image_reference(image.tag, style) : std::string();
}

std::string remark(const ImageResult& image) {
  if (image.status == ImageStatus::kSkipped && image.error) return one_line(image.error->message);
  return upload_text(image.uploaded_bytes, image.uploaded_files);
}

std::string images_text(const std::vector<ImageResult>& images, const ReportView& view, const Style& style) {
  std::vector<std::vector<Cell>> rows;
  for (const ImageResult& image : images) {
    const bool timed = image.status == ImageStatus::kBuilt || image.status == ImageStatus::kFailed;
    rows.push_back({{one_line(image.name), Paint::kBold},
                    {std::string(docker::status_name(image.status)), paint_of(image.status)},
                    {tag_text(image, style)},
                    {timed ? text::human_duration(image.duration_ms) : "", Paint::kNone, true},
                    {remark(image), Paint::kDim}});
  }
  std::vector<std::string> below;
  for (const ImageResult& image : images) below.push_back(view.explain ? render_verdict(image, style) : "");
  return table_with_notes(rows, below, style);
}

std::string stack_title(std::string_view repo, std::string_view parent) {
  return fmt::format("{} on {}", repo, parent);
}

std::string not_asked(const docker::BuildReport& report) {
  if (report.parent_reachable) return {};
  return fmt::format("{}: the host could not be asked, so only what is known here is shown\n",
                     stack_title(report.repo, report.parent));
}

bool up_to_date(const ServiceResult& service) {
  return service.reason.empty() &&
         (service.action == ServiceAction::kUnchanged || service.action == ServiceAction::kCompleted);
}

bool nothing_to_do(const docker::UpReport& report) {
  return report.build.parent_reachable && !report.build.error &&
         std::ranges::all_of(report.build.images,
                             [](const ImageResult& image) { return image.status == ImageStatus::kCached; }) &&
         std::ranges::all_of(report.services, up_to_date);
}

std::string nothing_to_do_text(const docker::UpReport& report) {
  const std::size_t images = report.build.images.size();
  const std::string parts = images == 0 ? "" : counted(images, "image") + ", ";
  const std::string done = report.staged_files == 0
                               ? "nothing to do"
                               : counted(report.staged_files, "file") + " of the stack brought, nothing else to do";
  return fmt::format("{}: {} ({}{} up to date)\n", stack_title(report.build.repo, report.build.parent), done, parts,
                     counted(report.services.size(), "service"));
}

std::string action_text(ServiceAction action, bool dry_run) {
  const bool done_to =
      action == ServiceAction::kCreated || action == ServiceAction::kRecreated || action == ServiceAction::kStarted;
  return fmt::format("{}{}", dry_run && done_to ? "would be " : "", docker::action_name(action));
}

std::string services_text(const std::vector<ServiceResult>& services, const ReportView& view, const Style& style) {
  const bool dry_run = view.dry_run;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> below;
  for (const ServiceResult& service : services) {
    const Paint paint = up_to_date(service) ? Paint::kDim : dry_run ? Paint::kYellow : Paint::kGreen;
    rows.push_back({{one_line(service.service), Paint::kBold},
                    {action_text(service.action, dry_run), paint},
                    {one_line(service.host_id)},
                    {one_line(service.reason), Paint::kDim}});
    below.push_back(view.explain ? render_reasons(service.reasons, style) : "");
  }
  return table_with_notes(rows, below, style);
}

std::string one_up(const docker::UpReport& report, bool headed, const ReportView& view, const Style& style) {
  if (nothing_to_do(report)) {
    return nothing_to_do_text(report) + (view.explain ? images_text(report.build.images, view, style) : "");
  }
  std::string out = not_asked(report.build);
  if (report.build.images.empty() && report.services.empty()) return out;
  if (headed) out += style.paint(Paint::kBold, stack_title(report.build.repo, report.build.parent)) + "\n";
  out += images_text(report.build.images, view, style);
  return out + services_text(report.services, view, style);
}

}  // namespace

Paint paint_of(ImageStatus status) {
  switch (status) {
    case ImageStatus::kBuilt: return Paint::kGreen;
    case ImageStatus::kFailed: return Paint::kRed;
    case ImageStatus::kStale: return Paint::kYellow;
    case ImageStatus::kCached:
    case ImageStatus::kSkipped:
    case ImageStatus::kUnknown: return Paint::kDim;
  }
  return Paint::kNone;
}

std::string upload_text(std::uint64_t bytes, std::uint64_t files) {
  if (bytes == 0 && files == 0) return {};
  return fmt::format("uploaded {} ({})", text::human_size(bytes), counted(files, "file"));
}

std::string render_build(std::span<const docker::BuildReport> reports, const ReportView& view, const Style& style) {
  std::string out;
  for (const docker::BuildReport& report : reports) {
    out += not_asked(report);
    if (report.images.empty() && report.error) continue;
    if (report.images.empty()) {
      out += fmt::format("{}: no images\n", stack_title(report.repo, report.parent));
      continue;
    }
    if (reports.size() > 1) out += style.paint(Paint::kBold, stack_title(report.repo, report.parent)) + "\n";
    out += images_text(report.images, view, style);
  }
  return out;
}

std::string render_up(std::span<const docker::UpReport> reports, const ReportView& view, const Style& style) {
  std::string out;
  for (const docker::UpReport& report : reports) out += one_up(report, reports.size() > 1, view, style);
  return out;
}

std::string render_down(std::span<const docker::DownReport> reports, const ReportView& view, const Style& style) {
  std::string out;
  for (const docker::DownReport& report : reports) {
    if (report.removed.empty() && report.error) continue;
    if (report.removed.empty()) {
      out += fmt::format("{}: nothing to do (no containers)\n", stack_title(report.repo, report.parent));
      continue;
    }
    std::vector<std::vector<Cell>> rows;
    for (const std::string& id : report.removed) {
      rows.push_back({{one_line(id), Paint::kBold}, {view.dry_run ? "would be removed" : "removed", Paint::kYellow}});
    }
    out += table({}, rows, style);
  }
  return out;
}

std::string render_failures(const docker::BuildReport& report, const Style& style) {
  std::string out;
  if (report.error) out += render_error(*report.error, style);
  for (const ImageResult& image : report.images) {
    if (image.status == ImageStatus::kFailed && image.error) out += render_error(*image.error, style);
  }
  return out;
}

std::string render_tags(std::span<const docker::BuildReport> reports, bool dry_run) {
  std::string out;
  for (const docker::BuildReport& report : reports) {
    for (const ImageResult& image : report.images) {
      const bool exists = image.status == ImageStatus::kBuilt || image.status == ImageStatus::kCached;
      if (exists || (dry_run && image.status == ImageStatus::kStale)) out += one_line(image.tag) + "\n";
    }
  }
  return out;
}

}  // namespace otto::cli
