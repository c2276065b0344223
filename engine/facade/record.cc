// explain, history: what the memo recorded, beside the verdicts of now.

#include "otto/record.h"

#include <algorithm>
#include <limits>
#include <set>

#include "cache/build_store.h"
#include "cache/listing.h"
#include "cache/service_store.h"
#include "engine/compose/compose_file.h"
#include "engine/config/settings.h"
#include "engine/workspace/names.h"
#include "engine/workspace/opened.h"
#include "engine/workspace/targets.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

RecordedBuild recorded(cache::BuildRecord build) {
  RecordedBuild record;
  record.at_ms = build.at_ms;
  record.repo = std::move(build.project);
  record.image = std::move(build.image);
  record.parent = std::move(build.parent);
  record.tag = std::move(build.tag);
  record.hash = std::move(build.hash);
  record.image_id = std::move(build.image_id);
  record.duration_ms = build.duration_ms;
  record.uploaded_bytes = build.uploaded_bytes;
  record.uploaded_files = build.uploaded_files;
  record.reasons = std::move(build.reasons);
  return record;
}

RecordedAction recorded(cache::ServiceRecord action) {
  RecordedAction record;
  record.at_ms = action.at_ms;
  record.repo = std::move(action.project);
  record.parent = std::move(action.parent);
  record.service = std::move(action.service);
  record.host_id = std::move(action.host_id);
  record.action = std::move(action.action);
  record.image = std::move(action.image);
  record.reasons = std::move(action.reasons);
  return record;
}

// --- names ---

using Names = std::set<std::string>;

Names image_names(const config::Settings& repo) {
  Names names;
  for (const config::ImageSettings& image : repo.images) names.insert(image.name);
  return names;
}

Result<Names> service_names(const workspace::Opened& workspace, const config::Settings& repo,
                            const std::vector<const config::ComposeSettings*>& composes) {
  std::vector<std::filesystem::path> files;
  for (const config::ComposeSettings* compose : composes) files.push_back(compose->path);
  if (files.empty()) return Names();
  OTTO_TRY(const std::vector<compose::ComposeService> services,
           compose::read_compose_builds(repo.root, files, docker::get_user_compose_project(repo.name),
                                        [&](const char* name) { return workspace.getenv(name); }));
  Names names;
  for (const compose::ComposeService& service : services) names.insert(service.name);
  return names;
}

Error unknown_name(const std::string& name, const Names& known) {
  const std::vector<std::string> names(known.begin(), known.end());
  return make_error(ErrorCode::kUnknownName,
                    "unknown image or service '" + text::printable(name) + "'" + text::did_you_mean(name, names),
                    names.empty() ? "no image and no service is declared, and nothing was done yet"
                                  : "there are: " + text::join(names, ", "));
}

Names chosen(const Names& all, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return all;
  Names some;
  std::ranges::copy_if(wanted, std::inserter(some, some.end()), [&](const auto& name) { return all.contains(name); });
  return some;
}

// --- explain ---

/// The newest build that was one (not an image found there), on that parent, else anywhere.
Result<std::optional<RecordedBuild>> last_made(cache::Database& memo, const std::string& repo, const std::string& image,
                                               const std::string& parent) {
  cache::BuildStore builds(memo);
  OTTO_TRY(auto made, builds.last_made(repo, image, parent));
  if (!made) {
    OTTO_TRY(made, builds.last_made(repo, image, std::nullopt));
  }
  if (!made) return std::optional<RecordedBuild>();
  return std::optional(recorded(std::move(*made)));
}

/// One repo on one parent.
class Explainer {
 public:
  Explainer(Workspace& library, const workspace::Target& target, const ExplainOptions& options)
      : library_(library), target_(target), options_(options) {}

  Result<ExplainReport> operator()() {
    report_.parent = target_.host->id;
    report_.repo = target_.repo->name;
    const Names images = chosen(image_names(*target_.repo), options_.names);
    OTTO_TRY(const Names all_services, service_names(library_.opened(), *target_.repo, target_.composes));
    const Names services = chosen(all_services, options_.names);
    if (!services.empty()) OTTO_RETURN_IF_ERROR(explain_services(images, services));
    const bool open = std::ranges::any_of(images, [&](const std::string& name) { return !explained(name); });
    if (open) OTTO_RETURN_IF_ERROR(judge_images(images));
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool explained(const std::string& image) const {
    return std::ranges::any_of(report_.images, [&](const auto& known) { return known.now.name == image; });
  }

  /// Services that cannot be judged, by a compose file that is refused, say, are told with what is remembered of them.
  Result<void> explain_services(const Names& images, const Names& services) {
    auto judged = judge_services(images, services);
    if (judged.ok()) return {};
    if (judged.error().code == ErrorCode::kInterrupted || judged.error().code == ErrorCode::kDatabase) return judged;
    report_.parent_reachable = !workspace::is_connection_error(judged.error().code);
    if (!report_.error) report_.error = std::move(judged).error();
    for (const std::string& service : services) OTTO_RETURN_IF_ERROR(add_service(service, {}));
    return {};
  }

  Result<void> judge_services(const Names& images, const Names& services) {
    UpOptions up;
    up.on = target_.host->id;
    up.repo = target_.repo->name;
    up.dry_run = true;
    if (!options_.names.empty()) up.services.assign(services.begin(), services.end());
    OTTO_TRY(std::vector<UpReport> ups, compose_up(library_, up));
    for (UpReport& judged : ups) {
      take(judged.build);
      OTTO_RETURN_IF_ERROR(add_images(std::move(judged.build.images), images));
      for (const std::string& service : services) {
        const auto now = std::ranges::find(judged.services, service, &ServiceResult::service);
        // Services with a profile are judged only when they are named.
        if (now == judged.services.end() && !judged.services.empty() && options_.names.empty()) continue;
        OTTO_RETURN_IF_ERROR(add_service(service, judged.services));
      }
    }
    return {};
  }

  Result<void> judge_images(const Names& images) {
    BuildOptions build;
    build.on = target_.host->id;
    build.images.assign(images.begin(), images.end());
    build.dry_run = true;
    OTTO_TRY(std::vector<BuildReport> builds, build_images(library_, build));
    for (BuildReport& judged : builds) {
      if (judged.repo != report_.repo) continue;
      take(judged);
      OTTO_RETURN_IF_ERROR(add_images(std::move(judged.images), images));
    }
    return {};
  }

  void take(const BuildReport& judged) {
    report_.parent_reachable = report_.parent_reachable && judged.parent_reachable;
    if (!report_.error) report_.error = judged.error;
  }

  Result<void> add_images(std::vector<ImageResult> images, const Names& wanted) {
    OTTO_TRY(cache::Database * memo, library_.opened().memo());
    for (ImageResult& image : images) {
      if (!wanted.contains(image.name) || explained(image.name)) continue;
      OTTO_TRY(auto last, last_made(*memo, report_.repo, image.name, report_.parent));
      report_.images.push_back({std::move(last), std::move(image)});
    }
    return {};
  }

  Result<void> add_service(const std::string& service, const std::vector<ServiceResult>& judged) {
    OTTO_TRY(cache::Database * memo, library_.opened().memo());
    OTTO_TRY(auto last, cache::ServiceStore(*memo).last(report_.repo, service, report_.parent));
    ServiceExplanation explanation;
    explanation.service = service;
    explanation.host_id = workspace::container_host_id(report_.parent, report_.repo, service, 1);
    if (last) explanation.last_action = recorded(std::move(*last));
    const auto now = std::ranges::find(judged, service, &ServiceResult::service);
    if (now != judged.end()) explanation.now = *now;
    report_.services.push_back(std::move(explanation));
    return {};
  }

  Workspace& library_;
  const workspace::Target& target_;
  const ExplainOptions& options_;
  ExplainReport report_;
};

/// kUnknownName for a name that no repo has, as image or as service.
Result<void> check_names(const workspace::Opened& workspace, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return {};
  Names known;
  for (const config::Settings& repo : workspace.repos()) {
    if (repo.images_error) return *repo.images_error;
    std::vector<const config::ComposeSettings*> composes;
    for (const config::ComposeSettings& compose : repo.composes) composes.push_back(&compose);
    known.merge(image_names(repo));
    OTTO_TRY(Names services, service_names(workspace, repo, composes));
    known.merge(services);
  }
  for (const std::string& name : wanted) {
    if (!known.contains(name)) return unknown_name(name, known);
  }
  return {};
}

ExplainReport failed_explanation(const workspace::Target& target, Error error) {
  ExplainReport report;
  report.parent = target.host->id;
  report.repo = target.repo->name;
  report.parent_reachable = !workspace::is_connection_error(error.code);
  report.error = std::move(error);
  return report;
}

// --- history ---

/// Whatever can be asked for: declared, or recorded some time.
Result<Names> known_names(const workspace::Opened& workspace) {
  OTTO_TRY(const cache::Listing listing, cache::read_listing(cache::Database::default_path()));
  Names names;
  for (const config::Settings& repo : workspace.repos()) {
    std::vector<const config::ComposeSettings*> composes;
    for (const config::ComposeSettings& compose : repo.composes) composes.push_back(&compose);
    names.merge(image_names(repo));
    // A compose file that cannot be read hides no history.
    if (auto services = service_names(workspace, repo, composes); services.ok()) names.merge(*services);
    for (const cache::KnownImage& built : listing.images) {
      if (built.project == repo.name) names.insert(built.image);
    }
    for (const cache::KnownService& service : listing.services) {
      if (service.project == repo.name) names.insert(service.service);
    }
  }
  return names;
}

}  // namespace

Result<std::vector<ExplainReport>> explain(Workspace& library, const ExplainOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_RETURN_IF_ERROR(check_names(workspace, options.names));
  OTTO_TRY(std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  OTTO_TRY(
      std::vector<ExplainReport> reports,
      workspace::for_each_target<ExplainReport>(
          workspace, targets, [&](const workspace::Target& target) { return Explainer(library, target, options)(); },
          failed_explanation));
  const auto says_nothing = [](const ExplainReport& report) {
    return report.images.empty() && report.services.empty() && !report.error;
  };
  if (!options.names.empty()) std::erase_if(reports, says_nothing);
  return reports;
}

Result<History> history(Workspace& library, const HistoryOptions& options) {
  workspace::Opened& workspace = library.opened();
  if (options.name) {
    OTTO_TRY(const Names names, known_names(workspace));
    if (!names.contains(*options.name)) return unknown_name(*options.name, names);
  }
  OTTO_TRY(auto memo, cache::Database::open_existing_read_only(cache::Database::default_path()));
  History history;
  if (!memo) return history;
  const std::size_t limit = options.limit == 0 ? std::numeric_limits<std::size_t>::max() : options.limit;
  for (const config::Settings& repo : workspace.repos()) {
    OTTO_TRY(auto builds, cache::BuildStore(*memo).history(repo.name, options.name, limit));
    for (cache::BuildRecord& build : builds) history.builds.push_back(recorded(std::move(build)));
    OTTO_TRY(auto actions, cache::ServiceStore(*memo).history(repo.name, options.name, limit));
    for (cache::ServiceRecord& action : actions) history.services.push_back(recorded(std::move(action)));
  }
  return history;
}

}  // namespace otto::docker
