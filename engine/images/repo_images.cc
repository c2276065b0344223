#include "engine/images/repo_images.h"

namespace otto::images {

Result<RepoInputs> read_repo_images(workspace::Opened& workspace, const config::Settings& repo,
                                    const std::vector<std::string>& names,
                                    std::function<Result<void>(const RepoInputs&)> before_scan) {
  if (repo.images_error) return *repo.images_error;
  ReadRequest request;
  request.repo = &repo;
  request.images = names;
  OTTO_TRY(request.memo, workspace.memo());
  request.reporter = &workspace.reporter();
  request.stop = workspace.stop();
  request.before_scan = std::move(before_scan);
  return read_images(request);
}

std::vector<std::string> names_of(const RepoInputs& images) {
  std::vector<std::string> names;
  for (const ImageInputs& image : images.images) names.push_back(image.name());
  return names;
}

}  // namespace otto::images
