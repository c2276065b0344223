#include "engine/compose/compose_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "engine/workspace/names.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"
#include "otto/names.h"

namespace otto::compose {
namespace {

namespace fs = std::filesystem;

/// Could the file have a `build:` section, itself or through what it names? Errs on the side of yes.
bool may_build(const fs::path& path) {
  const std::string text = read_whole_file(path).value_or("");
  return std::ranges::any_of(std::array{"build", "include", "extends"},
                             [&](const char* key) { return text.find(key) != std::string::npos; });
}

bool same_inputs(const config::ImageSettings& a, const config::ImageSettings& b) {
  const bool same_dockerfile = a.dockerfile_inline || b.dockerfile_inline ? a.dockerfile_inline == b.dockerfile_inline
                                                                          : a.dockerfile == b.dockerfile;
  return same_dockerfile &&
         std::tie(a.context, a.build_args, a.build_options, a.build_secrets, a.target, a.platform) ==
             std::tie(b.context, b.build_args, b.build_options, b.build_secrets, b.target, b.platform);
}

/// A file, or the text in the compose file itself.
Result<void> name_dockerfile(const ComposeService& service, config::ImageSettings& image) {
  const ComposeBuild& build = *service.build;
  if (build.dockerfile_inline && build.dockerfile) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: 'build' has both 'dockerfile' and 'dockerfile_inline'", build.place),
                      "leave one of them out");
  }
  if (build.dockerfile_inline) {
    image.dockerfile = fmt::format("{} (dockerfile_inline of {})", build.dockerfile_inline_file, service.name);
    image.dockerfile_inline = build.dockerfile_inline;
    return {};
  }
  image.dockerfile = (build.context / build.dockerfile.value_or("Dockerfile")).lexically_normal();
  std::error_code ignored;
  if (fs::is_regular_file(image.dockerfile, ignored)) return {};
  return make_error(
      ErrorCode::kConfig,
      fmt::format("{}: the Dockerfile '{}' does not exist", build.place, text::printable(image.dockerfile.string())),
      "'dockerfile' is relative to the build context");
}

Result<void> check_name(const config::Settings& repo, const ComposeService& service, const std::string& name) {
  if (config::is_repository_component(name)) return {};
  return make_error(
      ErrorCode::kConfig,
      fmt::format("{}: service '{}' cannot name an image", service.build->place, text::printable(service.name)),
      fmt::format("give it an image: {}-NAME", repo.name));
}

/// What is wrong with it is told when it is asked for.
config::ImageSettings to_image(const config::Settings& repo, const ComposeService& service) {
  config::ImageSettings image;
  image.track_base = repo.track_base;
  image.name = built_image_name(repo, service);
  image.idle = service.idle;
  image.trouble = service.build_trouble;
  if (!service.expanded_image.empty()) image.aliases.push_back(service.expanded_image);
  if (!service.build) return image;
  const ComposeBuild& build = *service.build;
  image.where = {build.place, 0, 0};
  image.context = build.context;
  image.build_args = build.args;
  image.build_options = build.options;
  image.build_hints = build.hints;
  image.build_secrets = build.secrets;
  image.target = build.target;
  image.platform = build.platform;
  const auto named = check_name(repo, service, image.name);
  const auto found = named.ok() ? name_dockerfile(service, image) : named;
  if (!found.ok()) image.trouble = found.error();
  return image;
}

/// Services of one project that build the same under one name are one image.
Result<void> add_image(config::Settings& repo, std::size_t declared, const ComposeService& service) {
  config::ImageSettings image = to_image(repo, service);
  const auto known = std::find_if(repo.images.begin(), repo.images.end(),
                                  [&](const config::ImageSettings& other) { return other.name == image.name; });
  if (known == repo.images.end()) {
    repo.images.push_back(std::move(image));
    return {};
  }
  const bool by_settings = known - repo.images.begin() < static_cast<std::ptrdiff_t>(declared);
  const bool named = workspace::own_image_name(service.expanded_image, repo.registry_url, repo.name) == image.name;
  if (by_settings && named) return {};  // settings.toml says how this image is built
  if (same_inputs(*known, image)) {
    known->idle = known->idle && image.idle;
    known->aliases.insert(known->aliases.end(), image.aliases.begin(), image.aliases.end());
    return {};
  }
  return make_error(
      ErrorCode::kConfig,
      fmt::format("{}: image '{}' is built otherwise at {}", image.where.str(), image.name, known->where.str()),
      fmt::format("give one of them another name, as in image: {}-{}-2", repo.name, image.name));
}

Result<void> read_all(config::Settings& repo, const GetEnv& getenv) {
  std::map<std::string, std::vector<fs::path>> stacks;
  for (const config::ComposeSettings& compose : repo.composes) stacks[compose.default_host].push_back(compose.path);
  const std::size_t declared = repo.images.size();
  for (const auto& [host, files] : stacks) {
    if (std::none_of(files.begin(), files.end(), may_build)) continue;
    OTTO_TRY(const std::vector<ComposeService> services,
             read_compose_builds(repo.root, files, docker::get_user_compose_project(repo.name), getenv));
    for (const ComposeService& service : services) {
      if (service.build || service.build_trouble) OTTO_RETURN_IF_ERROR(add_image(repo, declared, service));
    }
  }
  return {};
}

}  // namespace

std::string built_image_name(const config::Settings& repo, const ComposeService& service) {
  const auto own = workspace::own_image_name(service.expanded_image, repo.registry_url, repo.name);
  return own ? *own : text::to_lower(service.name);
}

void add_compose_images(config::Settings& repo, const GetEnv& getenv) {
  const std::size_t declared = repo.images.size();
  auto read = read_all(repo, getenv);
  if (read.ok()) return;
  repo.images.resize(declared);
  repo.images_error = std::move(read).error();
}

}  // namespace otto::compose
