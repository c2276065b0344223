#include "engine/containers/registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cache/registration_store.h"
#include "engine/workspace/names.h"
#include "graph/base/text.h"

namespace otto::containers {

namespace {

cache::Registration registration_of(const parent::ParentSession& session, const std::string& compose_project,
                                    const parent::ContainerState& container) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
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
  registration.state = container.status == "running" ? "running" : "exited";
  registration.last_seen_ms = now.count();
  return registration;
}

}  // namespace

Result<void> register_containers(parent::ParentSession& session, const std::string& compose_project,
                                 std::vector<parent::ContainerState> containers) {
  std::ranges::stable_sort(containers, {}, &parent::ContainerState::number);
  std::map<std::string, std::string> taken;  // host id → service
  std::vector<cache::Registration> registrations;
  for (const parent::ContainerState& container : containers) {
    cache::Registration registration = registration_of(session, compose_project, container);
    const auto [owner, is_free] = taken.emplace(registration.host_id, container.service);
    if (is_free) {
      registrations.push_back(std::move(registration));
      continue;
    }
    session.workspace().reporter().report(
        {Event::Kind::kWarning, Phase::kChecking, container.service,
         fmt::format("replica {} of service '{}' is no host: '{}' is service '{}'", container.number, container.service,
                     registration.host_id, owner->second),
         0, 0, 0});
  }
  return cache::RegistrationStore(session.memo()).replace(session.host().id, session.repo().name, registrations);
}

}  // namespace otto::containers
