// Which exact image each service of a stack is to run: the hash tag of one of the project's own, or another's as it is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/settings.h"
#include "engine/parent/probe.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_inputs.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_plan.h"
#include "graph/base/result.h"

namespace otto::stack {

class ServicePins {
 public:
  /// `builds`: the command builds, so an image that has gone meanwhile is no error but a new start.
  ServicePins(const config::Settings& repo, const StackInputs& stack, std::string host_id, bool builds)
      : images_(repo, stack), host_id_(std::move(host_id)), builds_(builds) {}

  void settle(const StackModel& model, const parent::Probe& probe, const PinnedImages& images);

  [[nodiscard]] const ServiceImages& images() const { return images_; }
  /// Service → exact tag, of those that run one of the project's own images.
  [[nodiscard]] const std::map<std::string, std::string>& tags() const { return tags_; }
  /// Service → id on the parent; none: it is to be built; absent: it is not there.
  [[nodiscard]] const std::map<std::string, std::optional<std::string>>& ids() const { return ids_; }

  /// Of the services that the plan is about; what the others run does not matter. kNotRunning, kInputsChanged.
  [[nodiscard]] Result<void> check(const StackPlan& plan, const StackModel& model) const;
  /// kInputsChanged.
  [[nodiscard]] Error gone(const std::string& image) const;

 private:
  void pin_as_it_is(const std::string& service, const std::vector<parent::ContainerState>& containers);

  const ServiceImages images_;
  const std::string host_id_;
  const bool builds_;
  std::map<std::string, std::string> tags_;
  std::map<std::string, std::optional<std::string>> ids_;
};

}  // namespace otto::stack
