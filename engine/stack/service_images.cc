#include "engine/stack/service_images.h"

#include "engine/compose/compose_images.h"

namespace otto::stack {

ServiceImages::ServiceImages(const config::Settings& repo, const StackInputs& stack) : own_(repo) {
  for (const compose::ComposeService& service : stack.files.services) {
    if (service.build) built_.emplace(service.name, compose::built_image_name(repo, service));
  }
}

const std::string* ServiceImages::own(const ServiceModel& service) const {
  const auto built = built_.find(service.name);
  return built != built_.end() ? &built->second : own_.find(service.image);
}

std::vector<std::string> ServiceImages::own_of(const StackModel& model, const std::set<std::string>& services) const {
  std::set<std::string> images;
  for (const std::string& name : services) {
    if (const std::string* image = own(model.services.at(name))) images.insert(*image);
  }
  return {images.begin(), images.end()};
}

std::vector<std::string> ServiceImages::external(const StackModel& model) const {
  std::set<std::string> images;
  for (const auto& [name, service] : model.services) {
    const bool by_digest = service.image.find('@') != std::string::npos;
    if (!service.image.empty() && !by_digest && own(service) == nullptr) images.insert(service.image);
  }
  return {images.begin(), images.end()};
}

}  // namespace otto::stack
