// Which image each service of a stack runs: one of the repo's own, or another's.
//
// A service's `image:` decides, or its `build:` section, whose image may have no name there. Knows files and the model
// only, no parent.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/config/settings.h"
#include "engine/images/own_images.h"
#include "engine/stack/stack_inputs.h"
#include "engine/stack/stack_model.h"

namespace otto::stack {

/// What the project's images are on the parent: image name → exact tag, and tag → id.
struct PinnedImages {
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> ids;
  std::vector<std::string> rebuilt_later;  ///< dry run: tags that would be built, whose ids are not known
  std::map<std::string, std::vector<graph::Reason>> reasons;  ///< image name → why this command builds it
  std::set<std::string> built;                                ///< names of images that this command has built
};

class ServiceImages {
 public:
  ServiceImages(const config::Settings& repo, const StackInputs& stack);

  /// The name of the repo's own image that the service runs, or null.
  [[nodiscard]] const std::string* own(const ServiceModel& service) const;
  /// The repo's own images that these services of the model run, sorted.
  [[nodiscard]] std::vector<std::string> own_of(const StackModel& model, const std::set<std::string>& services) const;
  /// References of images that are not the repo's own, sorted, for the probe: those named by a digest are left out, for
  /// they cannot move and the probe asks by tag.
  [[nodiscard]] std::vector<std::string> external(const StackModel& model) const;

 private:
  const images::OwnImages own_;
  std::map<std::string, std::string> built_;  ///< service with a build section → image
};

}  // namespace otto::stack
