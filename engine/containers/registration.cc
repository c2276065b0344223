#include "engine/containers/registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cache/registration_store.h"
#include "cache/service_store.h"
#include "engine/workspace/names.h"
#include "graph/base/clock.h"
#include "graph/base/text.h"

namespace otto::containers {

namespace {

/// "recreated: image-changed api, and 1 more"; empty: nothing is remembered.
std::string last_reason(const std::vector<cache::ServiceRecord>& actions, const std::string& service) {
  const auto last = std::ranges::find(actions, service, &cache::ServiceRecord::service);
  if (last == actions.end()) return {};
  return last->action + (last->reasons.empty() ? "" : ": " + graph::in_short(last->reasons));
}

cache::Registration registration_of(const parent::ParentSession& session, const std::string& compose_project,
                                    const parent::ContainerState& container) {
  cache::Registration registration;
  registration.host_id =
      workspace::container_host_id(session.host().id, session.repo().name, container.service, container.number);
  registration.parent = session.host().id;
  registration.lab = session.host().labs.empty() ? "" : session.host().labs.front();
  registration.project = session.repo().name;
  registration.compose_project = compose_project;
  registration.service = container.service;
  registration.replica = container.number;
  registration.container_id = container.id;
  registration.image = container.image;
  registration.state = parent::status_name(container.status);
  registration.last_seen_ms = epoch_ms();
  registration.fingerprint = container.service_digest;
  return registration;
}

}  // namespace

Result<void> register_containers(parent::ParentSession& session, const std::string& compose_project,
                                 std::vector<parent::ContainerState> containers) {
  std::ranges::stable_sort(containers, {}, &parent::ContainerState::number);
  OTTO_TRY(const auto actions, cache::ServiceStore(session.memo()).latest(session.repo().name, session.host().id));
  std::map<std::string, std::string> taken;  // host id → service
  std::vector<cache::Registration> registrations;
  for (const parent::ContainerState& container : containers) {
    cache::Registration registration = registration_of(session, compose_project, container);
    registration.reason = last_reason(actions, container.service);
    const auto [owner, is_free] = taken.emplace(registration.host_id, container.service);
    if (is_free) {
      registrations.push_back(std::move(registration));
      continue;
    }
    session.reporter().report(
        Event::warning(Phase::kChecking, container.service,
                       fmt::format("replica {} of service '{}' is no host: '{}' is service '{}'", container.number,
                                   container.service, registration.host_id, owner->second)));
  }
  return cache::RegistrationStore(session.memo()).replace(session.host().id, session.repo().name, registrations);
}

}  // namespace otto::containers
