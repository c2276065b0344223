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

const std::string* pin_of(const BuildRequest& request, std::string_view reference) {
  const auto pin = std::ranges::find(request.pins, reference, [](const auto& one) { return one.first; });
  return pin == request.pins.end() ? nullptr : &pin->second;
}

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
    const bool by_name = std::ranges::none_of(in_text, [&](const auto& pin) { return pin.first == reference.name; });
    const std::string* tag = pin_of(request, reference.name);
    if (tag == nullptr || (by_name && !reference.trigger)) continue;
    pins.dockerfile.replace(reference.begin, reference.end - reference.begin, *tag);
  }
  pins.by_name.erase(in_text.begin(), in_text.end());
  return pins;
}

}  // namespace otto::images
