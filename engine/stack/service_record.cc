#include "engine/stack/service_record.h"

#include <map>

#include "cache/service_store.h"
#include "engine/workspace/names.h"
#include "graph/base/clock.h"

namespace otto::stack {

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
