// build_images: the façade's build, one report for each repo and parent.

#include <algorithm>

#include "engine/images/build_repo.h"
#include "engine/images/repo_images.h"
#include "engine/workspace/targets.h"
#include "graph/base/text.h"

namespace otto::docker {

std::string_view status_name(ImageStatus status) {
  switch (status) {
    case ImageStatus::kBuilt: return "built";
    case ImageStatus::kCached: return "cached";
    case ImageStatus::kFailed: return "failed";
    case ImageStatus::kSkipped: return "skipped";
    case ImageStatus::kStale: return "stale";
    case ImageStatus::kUnknown: return "unknown";
  }
  panic("unknown image status", __FILE__, __LINE__);
}

std::size_t BuildReport::failures() const {
  const auto failed = std::count_if(images.begin(), images.end(), [](const ImageResult& image) {
    return image.status == ImageStatus::kFailed || image.status == ImageStatus::kSkipped;
  });
  return static_cast<std::size_t>(failed) + (error ? 1 : 0);
}

std::size_t BuildReport::successes() const {
  const auto good = std::count_if(images.begin(), images.end(), [](const ImageResult& image) {
    return image.status == ImageStatus::kBuilt || image.status == ImageStatus::kCached;
  });
  return static_cast<std::size_t>(good);
}

namespace {

/// Which of the wanted images each repo declares; kUnknownName for one that none does.
Result<std::map<const config::Settings*, std::vector<std::string>>> images_by_repo(
    const workspace::Opened& workspace, const std::vector<std::string>& wanted) {
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

Result<BuildReport> build_on(workspace::Opened& workspace, const workspace::Target& target,
                             const std::vector<std::string>& names, const BuildOptions& options) {
  OTTO_TRY(parent::ParentSession session, parent::ParentSession::begin(workspace, target));
  const images::ReadImages read = [&](const std::vector<std::string>& wanted, auto before_scan) {
    return images::read_repo_images(workspace, *target.repo, wanted, std::move(before_scan));
  };
  return images::build_repo(session, read, names, options);
}

}  // namespace

Result<std::vector<BuildReport>> build_images(Workspace& library, const BuildOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const auto wanted, images_by_repo(workspace, options.images));
  OTTO_TRY(std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  std::erase_if(targets, [&](const workspace::Target& target) {
    return !options.images.empty() && !wanted.contains(target.repo);
  });
  return workspace::for_each_target<BuildReport>(
      workspace, targets,
      [&](const workspace::Target& target) {
        const auto names = wanted.find(target.repo);
        return build_on(workspace, target, names == wanted.end() ? std::vector<std::string>() : names->second, options);
      },
      [](const workspace::Target& target, Error error) {
        BuildReport report;
        report.parent = target.host->id;
        report.repo = target.repo->name;
        report.parent_reachable = !workspace::is_connection_error(error.code);
        report.error = std::move(error);
        return report;
      });
}

}  // namespace otto::docker
