#include "engine/inputs/own_images.h"

#include "engine/inputs/dockerfile.h"
#include "otto/docker.h"

namespace otto::inputs {

OwnImages::OwnImages(const config::Settings& repo) {
  for (const config::ImageSettings& image : repo.images) {
    const std::string latest = docker::image_latest_tag(repo.registry_url, repo.name, image.name);
    by_repository_.emplace(parse_reference(latest).repository, image.name);
  }
}

const std::string* OwnImages::find(std::string_view reference) const {
  const ParsedReference wanted = parse_reference(reference);
  if (!wanted.digest.empty() || (!wanted.tag.empty() && wanted.tag != "latest")) return nullptr;
  const auto own = by_repository_.find(wanted.repository);
  return own == by_repository_.end() ? nullptr : &own->second;
}

}  // namespace otto::inputs
