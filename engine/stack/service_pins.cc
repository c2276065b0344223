#include "engine/stack/service_pins.h"

#include <fmt/format.h>

#include <algorithm>

namespace otto::stack {

void ServicePins::settle(const StackModel& model, const parent::Probe& probe, const PinnedImages& images) {
  for (const auto& [name, service] : model.services) {
    const std::string* own = images_.own(service);
    if (own == nullptr) {
      const auto id = probe.image_ids.find(service.image);
      if (id != probe.image_ids.end()) ids_[name] = id->second;
      continue;
    }
    const auto tag = images.tags.find(*own);
    if (tag == images.tags.end()) {
      pin_as_it_is(name, probe.containers);
      continue;
    }
    tags_[name] = tag->second;
    const auto id = images.ids.find(tag->second);
    if (id != images.ids.end()) ids_[name] = id->second;
    const auto& later = images.rebuilt_later;
    if (std::find(later.begin(), later.end(), tag->second) != later.end()) ids_[name] = std::nullopt;
  }
}

/// A service whose image this command does not build, and nobody here has built, keeps the one that it runs.
void ServicePins::pin_as_it_is(const std::string& service, const std::vector<parent::ContainerState>& containers) {
  const auto runs = std::ranges::find(containers, service, &parent::ContainerState::service);
  if (runs == containers.end() || runs->image.empty() || runs->image.starts_with("sha256:")) return;
  tags_[service] = runs->image;
  ids_[service] = runs->image_id;
}

/// Of the services that the plan is about; what the others run does not matter.
Result<void> ServicePins::check(const StackPlan& plan, const StackModel& model) const {
  for (const ServiceStep& step : plan.steps) {
    const std::string* own = images_.own(model.services.at(step.service));
    if (own == nullptr) continue;
    const bool needs_image =
        step.action == docker::ServiceAction::kCreated || step.action == docker::ServiceAction::kRecreated;
    const bool never = !tags_.contains(step.service);
    if (!never && (!needs_image || ids_.contains(step.service))) continue;
    if (!never && builds_) return gone(tags_.at(step.service));
    return make_error(ErrorCode::kNotRunning,
                      fmt::format("image '{}' of service '{}' {} on {}", *own, step.service,
                                  never ? "was never built" : "is no more", host_id_),
                      "run `otto docker up` first");
  }
  return {};
}

Error ServicePins::gone(const std::string& image) const {
  return make_error(ErrorCode::kInputsChanged, fmt::format("image '{}' was removed on {} meanwhile", image, host_id_),
                    "run the command again when nobody removes images there");
}

}  // namespace otto::stack
