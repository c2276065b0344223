#include "engine/images/pins.h"

#include <algorithm>
#include <ranges>

#include "engine/images/dockerfile.h"
#include "engine/workspace/names.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

/// What BuildKit looks a stage's name up as: the reference without docker.io/library and :latest.
std::string short_name(std::string_view reference) {
  const workspace::ParsedReference parsed = workspace::parse_reference(reference);
  const bool latest = parsed.tag.empty() || parsed.tag == "latest";
  return text::to_lower(parsed.repository + (latest ? "" : ":" + parsed.tag));
}

}  // namespace

Result<Pins> pins_for_buildx(const BuildRequest& request) {
  Pins pins{request.dockerfile, request.pins};
  if (pins.by_name.empty()) return pins;
  const std::string name = request.dockerfile_name.empty() ? "Dockerfile" : request.dockerfile_name;
  OTTO_TRY(Dockerfile parsed, parse_dockerfile(request.dockerfile, name, request.build_args, request.target));
  const auto is_stage = [&](const auto& pin) {
    return std::ranges::find(parsed.stages, short_name(pin.first)) != parsed.stages.end();
  };
  const auto in_text = std::ranges::stable_partition(pins.by_name, [&](const auto& pin) { return !is_stage(pin); });
  std::ranges::sort(parsed.references, std::greater<>(), &ImageReference::begin);
  for (const ImageReference& reference : parsed.references) {
    const auto pin = std::ranges::find(in_text, reference.name, [](const auto& one) { return one.first; });
    if (pin != in_text.end()) pins.dockerfile.replace(reference.begin, reference.end - reference.begin, pin->second);
  }
  pins.by_name.erase(in_text.begin(), in_text.end());
  return pins;
}

}  // namespace otto::images
