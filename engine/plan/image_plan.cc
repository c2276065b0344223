#include "engine/plan/image_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace otto::plan {

namespace {

using graph::Reason;
using graph::ReasonKind;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<std::string> what_was_checked(const inputs::ImageInputs& image) {
  const auto& entries = image.context->scan.manifest.entries;
  const auto files = static_cast<std::size_t>(std::count_if(
      entries.begin(), entries.end(), [](const auto& entry) { return entry.type != graph::EntryType::kDirectory; }));
  std::vector<std::string> checked = {"Dockerfile", counted(files, "file")};
  if (!image.settings->build_args.empty()) checked.push_back(counted(image.settings->build_args.size(), "build arg"));
  if (image.settings->target) checked.push_back("target " + *image.settings->target);
  if (image.settings->platform) checked.push_back("platform " + *image.settings->platform);
  for (const inputs::Upstream& upstream : image.upstreams) checked.push_back("image " + upstream.image);
  checked.push_back("its presence on the parent");
  return checked;
}

}  // namespace

ImageVerdict judge_image(const inputs::ImageInputs& image, const ImageEvidence& evidence) {
  ImageVerdict verdict;
  verdict.checked = what_was_checked(image);
  verdict.stale = evidence.forced || !evidence.present;
  if (!verdict.stale) return verdict;
  if (evidence.here && evidence.here->hash != image.hash) {
    const graph::BuiltFrom now{image.fingerprint, image.context->scan.manifest, image.dockerfile};
    verdict.reasons = graph::explain_change(evidence.here->from, now);
  }
  if (!evidence.present && evidence.built_here_before) {
    verdict.reasons.push_back(
        {ReasonKind::kMissingOnParent, image.tag, "it was built there before and has been removed since"});
  } else if (!evidence.present && !evidence.here) {
    const std::string detail = evidence.elsewhere.empty() ? "" : "so far only on " + evidence.elsewhere;
    verdict.reasons.push_back({ReasonKind::kNeverBuilt, image.name(), detail});
  }
  if (evidence.forced) verdict.reasons.push_back({ReasonKind::kForced, image.name(), "--rebuild"});
  return verdict;
}

}  // namespace otto::plan
