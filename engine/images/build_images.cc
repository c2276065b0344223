// build_images: the façade's build, one report for each repo and parent.

#include <algorithm>

#include "engine/images/command.h"
#include "engine/images/image_probe.h"
#include "engine/images/image_run.h"
#include "graph/base/text.h"

namespace otto::docker {

std::size_t BuildReport::failures() const {
  const auto failed = std::count_if(images.begin(), images.end(), [](const ImageResult& image) {
    return image.status == ImageStatus::kFailed || image.status == ImageStatus::kSkipped;
  });
  return static_cast<std::size_t>(failed) + (error ? 1 : 0);
}

std::size_t BuildReport::successes() const {
  const auto good = std::count_if(images.begin(), images.end(), [](const ImageResult& image) {
    return image.status == ImageStatus::kBuilt || image.status == ImageStatus::kCached ||
           image.status == ImageStatus::kPulled;
  });
  return static_cast<std::size_t>(good);
}

namespace {

/// Which of the wanted images each repo declares; kUnknownName for one that none does.
Result<std::map<const config::Settings*, std::vector<std::string>>> images_by_repo(
    const Workspace& workspace, const std::vector<std::string>& wanted) {
  std::map<const config::Settings*, std::vector<std::string>> by_repo;
  std::vector<std::string> names;
  for (const config::Settings& repo : workspace.repos()) {
    if (repo.images_error) return *repo.images_error;
    for (const config::ImageSettings& image : repo.images) {
      names.push_back(image.name);
      if (std::find(wanted.begin(), wanted.end(), image.name) != wanted.end()) by_repo[&repo].push_back(image.name);
    }
  }
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return make_error(ErrorCode::kUnknownName, "unknown image '" + name + "'" + text::did_you_mean(name, names),
                      names.empty() ? "declare images under [[docker.images]] in .otto/settings.toml"
                                    : "the images are: " + text::join(names, ", "));
  }
  return by_repo;
}

Result<BuildReport> build_on(Workspace& workspace, const execute::Target& target, const std::vector<std::string>& names,
                             const BuildOptions& options) {
  BuildReport report;
  report.parent = target.host->id;
  report.repo = target.repo->name;
  execute::ImageRunRequest request;
  request.jobs = options.jobs;
  request.keep_going = options.keep_going;
  request.dry_run = options.dry_run;
  request.pull = options.pull;
  OTTO_TRY(execute::ParentSession session, execute::ParentSession::begin(workspace, target));
  const auto ask_early = [&](const inputs::RepoInputs& images) -> Result<void> {
    return session.ask_early(execute::probe_request(images, request));
  };
  OTTO_TRY(inputs::RepoInputs images, execute::read_repo_images(workspace, *target.repo, names, ask_early));
  report.graph = images.graph;
  const auto connected = session.connect();
  if (!connected.ok() && options.dry_run && execute::is_connection_error(connected.error().code)) {
    report.parent_reachable = false;
    report.error = connected.error();
    OTTO_RETURN_IF_ERROR(execute::settle_from_memo(workspace, *target.repo, images));
    report.images = execute::unknown_results(images);
    return report;
  }
  OTTO_RETURN_IF_ERROR(connected);
  if (options.rebuild) request.forced = names.empty() ? execute::names_of(images) : names;
  OTTO_TRY(const Probe probe, session.probe(execute::probe_request(images, request)));
  OTTO_TRY(report.images, execute::run_images(session, images, probe, request));
  return report;
}

}  // namespace

Result<std::vector<BuildReport>> build_images(Workspace& workspace, const BuildOptions& options) {
  OTTO_TRY(const auto wanted, images_by_repo(workspace, options.images));
  OTTO_TRY(std::vector<execute::Target> targets, execute::choose_targets(workspace, options.on));
  std::erase_if(
      targets, [&](const execute::Target& target) { return !options.images.empty() && !wanted.contains(target.repo); });
  return execute::for_each_target<BuildReport>(
      workspace, targets,
      [&](const execute::Target& target) {
        const auto names = wanted.find(target.repo);
        return build_on(workspace, target, names == wanted.end() ? std::vector<std::string>() : names->second, options);
      },
      [](const execute::Target& target, Error error) {
        BuildReport report;
        report.parent = target.host->id;
        report.repo = target.repo->name;
        report.parent_reachable = !execute::is_connection_error(error.code);
        report.error = std::move(error);
        return report;
      });
}

}  // namespace otto::docker
