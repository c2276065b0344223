// Which references mean an image of the repo itself: `[registry/]<project>-<image>`, untagged or `:latest`, with and
// without the registry that the settings name.
//
// The one place that decides it, for Dockerfiles (FROM, COPY --from) and for compose services alike.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/config/settings.h"

namespace otto::images {

class OwnImages {
 public:
  explicit OwnImages(const config::Settings& repo);
  /// The image's name in the settings, or null. `asking`: the image whose Dockerfile has the reference; what it is
  /// called beside its own name is there somebody else's image, which it is built from.
  [[nodiscard]] const std::string* find(std::string_view reference, std::string_view asking = {}) const;
  /// The same of a reference with platform args in it ("${TARGETARCH}", known to the engine only): an image that it
  /// could mean, or null.
  [[nodiscard]] const std::string* could_mean(std::string_view reference) const;

 private:
  std::string registry_url_, project_;
  std::set<std::string> names_;
  std::map<std::string, std::string> by_alias_;  ///< "repository:tag"
};

}  // namespace otto::images
