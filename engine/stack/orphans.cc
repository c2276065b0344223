#include "engine/stack/orphans.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/workspace/names.h"
#include "graph/base/text.h"

namespace otto::stack {

Result<std::vector<parent::ContainerState>> settle_orphans(parent::ParentSession& session, parent::Compose& compose,
                                                           const std::string& compose_project,
                                                           std::vector<parent::ContainerState> orphans,
                                                           const StackRunRequest& request,
                                                           const std::vector<std::string>& doomed) {
  const std::vector<parent::ContainerState> none;
  if (orphans.empty()) return none;
  const auto elsewhere = request.services_elsewhere();
  if (!elsewhere.ok() && !request.remove_orphans) return none;
  OTTO_RETURN_IF_ERROR(elsewhere);
  std::erase_if(orphans, [&](const parent::ContainerState& orphan) { return elsewhere->contains(orphan.service); });
  if (orphans.empty()) return none;
  std::vector<std::string> ids, names;
  for (const parent::ContainerState& orphan : orphans) {
    ids.push_back(orphan.id);
    names.push_back(
        workspace::container_host_id(session.host().id, session.repo().name, orphan.service, orphan.number));
  }
  const std::string all = text::join(names, ", ");
  if (!request.remove_orphans) {
    session.reporter().report(Event::warning(
        Phase::kChecking, compose_project,
        fmt::format("no compose file has these any more: {}; `otto docker up --remove-orphans` removes them", all)));
    return none;
  }
  if (!request.dry_run) OTTO_RETURN_IF_ERROR(compose.remove_containers(ids, doomed));
  session.reporter().report(Event::notice(
      Phase::kStopping, compose_project, fmt::format("{}: {}", request.dry_run ? "would be removed" : "removed", all)));
  return request.dry_run ? none : orphans;
}

}  // namespace otto::stack
