#include "engine/stack/service_record.h"

#include <algorithm>

#include "cache/service_store.h"
#include "engine/workspace/names.h"
#include "graph/base/clock.h"

namespace otto::stack {

namespace {

/// Now; image and reasons are left to the caller.
cache::ServiceRecord action_on(const parent::ParentSession& session, const std::string& service,
                               std::string_view action) {
  cache::ServiceRecord record;
  record.at_ms = epoch_ms();
  record.project = session.repo().name;
  record.parent = session.host().id;
  record.service = service;
  record.host_id = workspace::container_host_id(record.parent, record.project, service, 1);
  record.action = action;
  return record;
}

}  // namespace

Result<void> record_steps(parent::ParentSession& session, const StackPlan& plan,
                          const std::map<std::string, std::string>& images) {
  std::vector<cache::ServiceRecord> actions;
  for (const ServiceStep& step : plan.steps) {
    const auto image = images.find(step.service);
    if (image == images.end()) continue;
    actions.push_back(action_on(session, step.service, docker::action_name(step.action)));
    actions.back().image = image->second;
    actions.back().reasons = step.reasons;
  }
  return cache::ServiceStore(session.memo()).record(actions);
}

std::vector<std::string> services_done(const std::vector<std::string>& services, const StackModel& model,
                                       const std::vector<parent::ContainerState>& before,
                                       const std::vector<parent::ContainerState>& after) {
  std::vector<std::string> done;
  for (const std::string& service : services) {
    std::size_t right = 0, wrong = 0, changed = 0;
    for (const parent::ContainerState& container : after) {
      if (container.service != service) continue;
      const auto was = std::ranges::find(before, container.id, &parent::ContainerState::id);
      const bool as_defined = container.service_digest == model.services.at(service).digest.hex();
      (as_defined && container.status != parent::ContainerStatus::kCreated ? right : wrong) += 1;
      changed += was == before.end() || was->status != container.status ? 1 : 0;
    }
    if (right > 0 && wrong == 0 && changed > 0) done.push_back(service);
  }
  return done;
}

Result<void> record_removed(parent::ParentSession& session, const std::vector<parent::ContainerState>& containers) {
  std::map<std::string, cache::ServiceRecord> removed;
  for (const parent::ContainerState& container : containers) {
    const auto [known, is_new] = removed.emplace(container.service, action_on(session, container.service, "removed"));
    if (is_new) known->second.image = container.image;
  }
  std::vector<cache::ServiceRecord> actions;
  for (auto& [service, action] : removed) actions.push_back(std::move(action));
  return cache::ServiceStore(session.memo()).record(actions);
}

}  // namespace otto::stack
