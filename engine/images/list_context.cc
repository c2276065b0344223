// context_hash, list_context: what an image's build would be given, without any host.

#include <fmt/format.h>

#include <algorithm>

#include "engine/images/image_probe.h"
#include "engine/images/repo_images.h"
#include "engine/workspace/targets.h"
#include "graph/base/text.h"
#include "otto/images.h"

namespace otto::docker {

namespace {

struct FoundImage {
  images::RepoInputs images;
  std::size_t index = 0;
};

Result<FoundImage> find_image(workspace::Opened& workspace, std::string_view image) {
  std::vector<std::string> names;
  for (const config::Settings& repo : workspace.repos()) {
    if (repo.images_error) return *repo.images_error;
    for (const config::ImageSettings& known : repo.images) {
      names.push_back(known.name);
      if (known.name != image) continue;
      FoundImage found;
      OTTO_TRY(found.images, images::read_repo_images(workspace, repo, {known.name}));
      OTTO_TRY(cache::Database* const memo, workspace.memo());
      OTTO_RETURN_IF_ERROR(images::settle_from_memo(*memo, repo, found.images));
      const auto& all = found.images.images;
      const auto position =
          std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.name() == image; });
      found.index = static_cast<std::size_t>(position - all.begin());
      return found;
    }
  }
  return make_error(ErrorCode::kUnknownName,
                    "unknown image '" + std::string(image) + "'" + text::did_you_mean(image, names),
                    names.empty() ? "declare images under [[docker.images]] in .otto/settings.toml"
                                  : "the images are: " + text::join(names, ", "));
}

}  // namespace

Result<std::string> context_hash(Workspace& library, std::string_view image) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const FoundImage found, find_image(workspace, image));
  const images::ImageInputs& inputs = found.images.images[found.index];
  if (inputs.unknown_bases.empty()) return inputs.hash;
  return make_error(ErrorCode::kConfig,
                    fmt::format("the hash of image '{}' counts its base image '{}', which no build has recorded yet",
                                image, inputs.unknown_bases.front()),
                    "build it once: otto docker build");
}

Result<ContextListing> list_context(Workspace& library, std::string_view image) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(FoundImage found, find_image(workspace, image));
  const images::ImageInputs& inputs = found.images.images[found.index];
  const auto context = std::find_if(found.images.contexts.begin(), found.images.contexts.end(),
                                    [&](const auto& scanned) { return scanned.get() == inputs.context; });
  OTTO_CHECK(context != found.images.contexts.end());
  return ContextListing{inputs.name(), inputs.context->root.string(), inputs.hash,
                        std::move((*context)->scan.manifest)};
}

}  // namespace otto::docker
