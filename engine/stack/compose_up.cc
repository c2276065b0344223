// compose_up: the façade's up, one report for each repo and parent.

#include <algorithm>

#include "engine/images/repo_images.h"
#include "engine/stack/bring_up.h"
#include "engine/workspace/targets.h"

namespace otto::docker {

namespace {

Result<UpReport> up_on(workspace::Opened& workspace, const workspace::Target& target, const UpOptions& options) {
  stack::UpSources sources;
  sources.stack = [&] { return stack::read_stack(workspace, target, options.project, options.services); };
  sources.images = [&](const std::vector<std::string>& names, auto before_scan) {
    return images::read_repo_images(workspace, *target.repo, names, std::move(before_scan));
  };
  sources.session = [&] { return parent::ParentSession::begin(workspace, target); };
  sources.services_elsewhere = [&] { return stack::services_elsewhere(workspace, target); };
  return stack::bring_up(target, sources, options);
}

UpReport failed_report(const workspace::Target& target, Error error) {
  UpReport report;
  report.build.parent = target.host->id;
  report.build.repo = target.repo->name;
  report.build.parent_reachable = !workspace::is_connection_error(error.code);
  report.build.error = std::move(error);
  return report;
}

}  // namespace

Result<std::vector<UpReport>> compose_up(Workspace& library, const UpOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  if (options.repo) std::erase_if(targets, [&](const auto& target) { return target.repo->name != *options.repo; });
  // Repos without a stack have nothing to bring up, unless there is no other.
  const bool any =
      std::any_of(targets.begin(), targets.end(), [](const auto& target) { return !target.composes.empty(); });
  if (any) std::erase_if(targets, [](const workspace::Target& target) { return target.composes.empty(); });
  return workspace::for_each_target<UpReport>(
      workspace, targets, [&](const workspace::Target& target) { return up_on(workspace, target, options); },
      failed_report);
}

}  // namespace otto::docker
