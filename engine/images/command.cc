#include "engine/images/command.h"

namespace otto::execute {

Result<inputs::RepoInputs> read_repo_images(Workspace& workspace, const config::Settings& repo,
                                            const std::vector<std::string>& names,
                                            std::function<Result<void>(const inputs::RepoInputs&)> before_scan) {
  if (repo.images_error) return *repo.images_error;
  inputs::ReadRequest request;
  request.repo = &repo;
  request.images = names;
  OTTO_TRY(request.memo, workspace.memo());
  request.reporter = &workspace.reporter();
  request.stop = workspace.stop();
  request.before_scan = std::move(before_scan);
  return inputs::read_images(request);
}

std::vector<std::string> names_of(const inputs::RepoInputs& images) {
  std::vector<std::string> names;
  for (const inputs::ImageInputs& image : images.images) names.push_back(image.name());
  return names;
}

bool is_connection_error(ErrorCode code) {
  return code == ErrorCode::kUnreachable || code == ErrorCode::kAuthFailed || code == ErrorCode::kHostKey ||
         code == ErrorCode::kTimedOut;
}

}  // namespace otto::execute
