// compose_down: the façade's end of stacks, one report for each repo and parent.

#include "engine/parent/parent_session.h"
#include "engine/stack/take_down.h"
#include "engine/workspace/targets.h"

namespace otto::docker {

namespace {

Result<DownReport> down_on(workspace::Opened& workspace, const workspace::Target& target, const DownOptions& options) {
  OTTO_TRY(parent::ParentSession session, parent::ParentSession::open(workspace, target));
  return stack::take_down(session, options);
}

}  // namespace

Result<std::vector<DownReport>> compose_down(Workspace& library, const DownOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  return workspace::for_each_target<DownReport>(
      workspace, targets, [&](const workspace::Target& target) { return down_on(workspace, target, options); },
      [](const workspace::Target& target, Error error) {
        DownReport report;
        report.parent = target.host->id;
        report.repo = target.repo->name;
        report.error = std::move(error);
        return report;
      });
}

}  // namespace otto::docker
