#include "engine/stack/service_background.h"

#include "cache/build_store.h"
#include "cache/service_store.h"
#include "engine/images/image_change.h"

namespace otto::stack {

namespace {

using graph::Reason;

Result<std::vector<Reason>> definition_change(parent::ParentSession& session, const ServiceModel& service,
                                              const std::string& digest_before) {
  cache::ServiceStore store(session.memo());
  const std::string& project = session.repo().name;
  OTTO_TRY(const auto before, store.definition(project, service.name, digest_before));
  OTTO_TRY(const auto now, store.definition(project, service.name, service.digest.hex()));
  if (!before || !now) return std::vector<Reason>();
  const auto old_parts = parse_stored_definition(before->body);
  const auto new_parts = parse_stored_definition(now->body);
  if (!old_parts || !new_parts) return std::vector<Reason>();
  return definition_changes(*old_parts, *new_parts);
}

/// Of this command, else of the last build on this parent.
Result<std::vector<Reason>> reasons_of(parent::ParentSession& session, const PinnedImages& images,
                                       const std::string& image) {
  const auto now = images.reasons.find(image);
  if (now != images.reasons.end() && !now->second.empty()) return now->second;
  OTTO_TRY(auto last, cache::BuildStore(session.memo()).last_build(session.repo().name, image, session.host().id));
  return last ? std::move(last->reasons) : std::vector<Reason>();
}

}  // namespace

Result<Background> read_background(parent::ParentSession& session, const StackModel& model,
                                   const std::vector<parent::ContainerState>& containers,
                                   const std::map<std::string, std::optional<std::string>>& image_ids,
                                   const ServiceImages& service_images, const PinnedImages& images) {
  Background background;
  for (const parent::ContainerState& container : containers) {
    const auto service = model.services.find(container.service);
    if (service == model.services.end()) continue;
    if (container.service_digest != service->second.digest.hex() && !container.service_digest.empty()) {
      OTTO_TRY(background.redefined[container.service],
               definition_change(session, service->second, container.service_digest));
    }
    const std::string* own = service_images.own(service->second);
    const auto image = image_ids.find(container.service);
    if (own == nullptr || image == image_ids.end() || image->second == container.image_id) continue;
    OTTO_TRY(std::string change,
             images::image_change(*own, [&](const std::string& name) { return reasons_of(session, images, name); }));
    if (!change.empty()) background.image_changes[container.service] = std::move(change);
  }
  return background;
}

}  // namespace otto::stack
