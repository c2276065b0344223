// explain_images, build_history: what the memo recorded, beside the verdict of now.

#include <algorithm>
#include <limits>

#include "cache/build_store.h"
#include "cache/listing.h"
#include "engine/config/settings.h"
#include "engine/workspace/opened.h"
#include "graph/base/text.h"
#include "otto/images.h"

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

/// The newest build that was one (not an image found there), on that parent, else anywhere.
Result<std::optional<RecordedBuild>> last_made(cache::BuildStore& builds, const std::string& repo,
                                               const std::string& image, const std::string& parent) {
  OTTO_TRY(auto made, builds.last_made(repo, image, parent));
  if (!made) {
    OTTO_TRY(made, builds.last_made(repo, image, std::nullopt));
  }
  if (!made) return std::optional<RecordedBuild>();
  return std::optional(recorded(std::move(*made)));
}

Result<ExplainReport> explained(workspace::Opened& workspace, BuildReport report,
                                const std::vector<std::string>& wanted) {
  OTTO_TRY(cache::Database * memo, workspace.memo());
  cache::BuildStore builds(*memo);
  ExplainReport explanation;
  explanation.parent = std::move(report.parent);
  explanation.repo = std::move(report.repo);
  explanation.parent_reachable = report.parent_reachable;
  explanation.error = std::move(report.error);
  for (ImageResult& image : report.images) {
    if (!wanted.empty() && std::ranges::find(wanted, image.name) == wanted.end()) continue;
    OTTO_TRY(auto last, last_made(builds, explanation.repo, image.name, explanation.parent));
    explanation.images.push_back({std::move(last), std::move(image)});
  }
  return explanation;
}

/// Every image that can be asked for: declared, or built some time.
Result<std::vector<std::string>> known_images(const workspace::Opened& workspace) {
  OTTO_TRY(const cache::Listing listing, cache::read_listing(cache::Database::default_path()));
  std::vector<std::string> names;
  for (const config::Settings& repo : workspace.repos()) {
    for (const config::ImageSettings& image : repo.images) names.push_back(image.name);
    for (const cache::KnownImage& built : listing.images) {
      if (built.project == repo.name) names.push_back(built.image);
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

Result<std::vector<ExplainReport>> explain_images(Workspace& library, const ExplainOptions& options) {
  workspace::Opened& workspace = library.opened();
  BuildOptions build;
  build.images = options.images;
  build.on = options.on;
  build.dry_run = true;
  OTTO_TRY(std::vector<BuildReport> reports, build_images(library, build));
  std::vector<ExplainReport> explanations;
  for (BuildReport& report : reports) {
    OTTO_TRY(ExplainReport explanation, explained(workspace, std::move(report), options.images));
    explanations.push_back(std::move(explanation));
  }
  return explanations;
}

Result<std::vector<RecordedBuild>> build_history(Workspace& library, const HistoryOptions& options) {
  workspace::Opened& workspace = library.opened();
  if (options.image) {
    OTTO_TRY(const std::vector<std::string> names, known_images(workspace));
    if (std::ranges::find(names, *options.image) == names.end()) {
      return make_error(ErrorCode::kUnknownName,
                        "unknown image '" + *options.image + "'" + text::did_you_mean(*options.image, names),
                        names.empty() ? "nothing was built yet, and no image is declared"
                                      : "the images are: " + text::join(names, ", "));
    }
  }
  OTTO_TRY(auto memo, cache::Database::open_existing_read_only(cache::Database::default_path()));
  std::vector<RecordedBuild> history;
  if (!memo) return history;
  const std::size_t limit = options.limit == 0 ? std::numeric_limits<std::size_t>::max() : options.limit;
  for (const config::Settings& repo : workspace.repos()) {
    OTTO_TRY(std::vector<cache::BuildRecord> builds, cache::BuildStore(*memo).history(repo.name, options.image, limit));
    for (cache::BuildRecord& build : builds) history.push_back(recorded(std::move(build)));
  }
  return history;
}

}  // namespace otto::docker
