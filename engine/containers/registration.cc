#include "engine/containers/registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cache/registration_store.h"
#include "graph/base/text.h"

namespace otto::execute {

namespace {

cache::Registration registration_of(const ParentSession& session, const std::string& compose_project,
                                    const plan::ContainerState& container) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  cache::Registration registration;
  registration.host_id = container_host_id(session.host().id, session.repo().name, container.service, container.number);
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

std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number) {
  const std::string base = text::to_lower(fmt::format("{}.{}.{}", parent, project, service));
  return number <= 1 ? base : fmt::format("{}-{}", base, number);
}

Result<void> register_containers(ParentSession& session, const std::string& compose_project,
                                 std::vector<plan::ContainerState> containers) {
  std::ranges::stable_sort(containers, {}, &plan::ContainerState::number);
  std::map<std::string, std::string> taken;  // host id → service
  std::vector<cache::Registration> registrations;
  for (const plan::ContainerState& container : containers) {
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

}  // namespace otto::execute
