#include "engine/inputs/own_images.h"

#include "engine/inputs/dockerfile.h"
#include "otto/docker.h"

namespace otto::inputs {

namespace {

std::string tagged(const ParsedReference& reference) {
  return reference.repository + ":" + (reference.tag.empty() ? "latest" : reference.tag);
}

}  // namespace

OwnImages::OwnImages(const config::Settings& repo) {
  for (const config::ImageSettings& image : repo.images) {
    const std::string latest = docker::image_latest_tag(repo.registry_url, repo.name, image.name);
    by_repository_.emplace(parse_reference(latest).repository, image.name);
    for (const std::string& alias : image.aliases) by_alias_.emplace(tagged(parse_reference(alias)), image.name);
  }
}

const std::string* OwnImages::find(std::string_view reference) const {
  const ParsedReference wanted = parse_reference(reference);
  if (!wanted.digest.empty()) return nullptr;
  const auto alias = by_alias_.find(tagged(wanted));
  if (alias != by_alias_.end()) return &alias->second;
  if (!wanted.tag.empty() && wanted.tag != "latest") return nullptr;
  const auto own = by_repository_.find(wanted.repository);
  return own == by_repository_.end() ? nullptr : &own->second;
}

}  // namespace otto::inputs
