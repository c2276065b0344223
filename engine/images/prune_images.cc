// prune_images: the façade's prune, one report for each repo and parent.

#include "engine/images/prune_repo.h"
#include "engine/images/repo_images.h"
#include "engine/workspace/targets.h"

namespace otto::docker {

namespace {

Result<PruneReport> prune_on(workspace::Opened& workspace, const workspace::Target& target,
                             const PruneOptions& options) {
  OTTO_TRY(const images::RepoInputs images, images::read_repo_images(workspace, *target.repo, {}));
  OTTO_TRY(parent::ParentSession session, parent::ParentSession::open(workspace, target));
  return images::prune_repo(session, images, options);
}

}  // namespace

Result<std::vector<PruneReport>> prune_images(Workspace& library, const PruneOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  return workspace::for_each_target<PruneReport>(
      workspace, targets, [&](const workspace::Target& target) { return prune_on(workspace, target, options); },
      [](const workspace::Target& target, Error error) {
        return PruneReport{target.host->id, target.repo->name, {}, {}, std::move(error)};
      });
}

}  // namespace otto::docker
