#include "engine/images/build_repo.h"

#include "engine/images/early_stages.h"
#include "engine/images/image_probe.h"
#include "engine/images/image_run.h"
#include "engine/images/repo_images.h"
#include "engine/workspace/targets.h"

namespace otto::images {

Result<docker::BuildReport> build_repo(parent::ParentSession& session, const ReadImages& read,
                                       const std::vector<std::string>& names, const docker::BuildOptions& options) {
  docker::BuildReport report;
  report.parent = session.host().id;
  report.repo = session.repo().name;
  ImageRunRequest request;
  request.jobs = options.jobs;
  request.keep_going = options.keep_going;
  request.dry_run = options.dry_run;
  request.pull = options.pull;
  const auto ask_early = [&](const RepoInputs& images) -> Result<void> {
    return session.ask_early(probe_request(images, request));
  };
  OTTO_TRY(RepoInputs images, read(names, ask_early));
  report.graph = images.graph;
  const auto connected = session.connect();
  if (!connected.ok() && options.dry_run && workspace::is_connection_error(connected.error().code)) {
    report.parent_reachable = false;
    report.error = connected.error();
    OTTO_RETURN_IF_ERROR(settle_from_memo(session.memo(), session.repo(), images));
    report.images = unknown_results(images);
    return report;
  }
  OTTO_RETURN_IF_ERROR(connected);
  if (options.rebuild) request.forced = names.empty() ? names_of(images) : names;
  OTTO_TRY(const auto early, EarlyStages::begin(session, images, request));
  OTTO_TRY(const parent::Probe probe, session.probe(probe_request(images, request)));
  OTTO_RETURN_IF_ERROR(run_images(session, images, probe, request, *early, report));
  return report;
}

}  // namespace otto::images
