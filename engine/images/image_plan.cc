#include "engine/images/image_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace otto::images {

namespace {

using graph::Reason;
using graph::ReasonKind;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<std::string> what_was_checked(const ImageInputs& image) {
  const auto& entries = image.context->scan.manifest.entries;
  const auto files = static_cast<std::size_t>(std::count_if(
      entries.begin(), entries.end(), [](const auto& entry) { return entry.type != graph::EntryType::kDirectory; }));
  std::vector<std::string> checked = {"Dockerfile", counted(files, "file")};
  if (!image.settings->build_args.empty()) checked.push_back(counted(image.settings->build_args.size(), "build arg"));
  if (!image.settings->build_options.empty()) {
    checked.push_back(counted(image.settings->build_options.size(), "build option"));
  }
  if (image.settings->target) checked.push_back("target " + *image.settings->target);
  if (image.settings->platform) checked.push_back("platform " + *image.settings->platform);
  for (const Upstream& upstream : image.upstreams) checked.push_back("image " + upstream.image);
  for (const std::string& base : image.external) {
    if (image.settings->track_base) checked.push_back("base image " + base);
  }
  checked.push_back("its presence on the parent");
  return checked;
}

enum class Moved { kNo, kYes, kUnknown };

/// Whether a base image that the hash says nothing about is another one now than when the present tag was built.
Moved has_moved(const std::string& base, const ImageEvidence& evidence, std::string& detail) {
  const auto now = evidence.bases.find(base);
  if (now == evidence.bases.end() || now->second.empty()) return Moved::kNo;
  const graph::Component* built = nullptr;
  if (evidence.present_from) {
    for (const graph::Component& component : evidence.present_from->components) {
      if (component.kind == graph::ComponentKind::kBase && component.subject == base) built = &component;
    }
  }
  if (built == nullptr) {
    detail = "which one it was built from is not remembered";
    return Moved::kUnknown;
  }
  if (std::ranges::find(now->second, built->digest) != now->second.end()) return Moved::kNo;
  detail = graph::digest_change(built->digest, now->second.front());
  return Moved::kYes;
}

/// Moved base images: reasons with --pull, else only worth a word among what was checked.
void judge_bases(const ImageInputs& image, const ImageEvidence& evidence, ImageVerdict& verdict) {
  for (const std::string& base : image.loose_bases) {
    std::string detail;
    const Moved moved = has_moved(base, evidence, detail);
    if (evidence.pull) {
      if (moved != Moved::kNo) verdict.reasons.push_back({ReasonKind::kBaseChanged, base, detail});
      verdict.checked.push_back("base image " + base);
    } else if (moved == Moved::kYes) {
      verdict.checked.push_back(fmt::format("base image {} (moved, {}; --pull builds upon it)", base, detail));
    }
  }
  verdict.stale = verdict.stale || !verdict.reasons.empty();
}

}  // namespace

ImageVerdict judge_image(const ImageInputs& image, const ImageEvidence& evidence) {
  ImageVerdict verdict;
  verdict.checked = what_was_checked(image);
  verdict.stale = evidence.forced || !evidence.present;
  if (evidence.present) judge_bases(image, evidence, verdict);
  if (!verdict.stale) return verdict;
  if (evidence.here && evidence.here->hash != image.hash) {
    const graph::BuiltFrom now{image.fingerprint, image.context->scan.manifest, image.dockerfile};
    std::vector<Reason> changes = graph::explain_change(evidence.here->from, now);
    verdict.reasons.insert(verdict.reasons.begin(), std::make_move_iterator(changes.begin()),
                           std::make_move_iterator(changes.end()));
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

}  // namespace otto::images
