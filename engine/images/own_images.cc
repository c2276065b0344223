#include "engine/images/own_images.h"

#include <fnmatch.h>

#include "engine/images/dockerfile.h"
#include "engine/workspace/names.h"

namespace otto::images {

namespace {

std::string tagged(const workspace::ParsedReference& reference) {
  return reference.repository + ":" + (reference.tag.empty() ? "latest" : reference.tag);
}

}  // namespace

OwnImages::OwnImages(const config::Settings& repo) {
  for (const config::ImageSettings& image : repo.images) {
    const std::string latest = docker::image_latest_tag(repo.registry_url, repo.name, image.name);
    by_repository_.emplace(workspace::parse_reference(latest).repository, image.name);
    const std::string bare = docker::image_latest_tag("", repo.name, image.name);
    by_repository_.emplace(workspace::parse_reference(bare).repository, image.name);
    for (const std::string& alias : image.aliases)
      by_alias_.emplace(tagged(workspace::parse_reference(alias)), image.name);
  }
}

const std::string* OwnImages::find(std::string_view reference) const {
  const workspace::ParsedReference wanted = workspace::parse_reference(reference);
  if (!wanted.digest.empty()) return nullptr;
  const auto alias = by_alias_.find(tagged(wanted));
  if (alias != by_alias_.end()) return &alias->second;
  if (!wanted.tag.empty() && wanted.tag != "latest") return nullptr;
  const auto own = by_repository_.find(wanted.repository);
  return own == by_repository_.end() ? nullptr : &own->second;
}

const std::string* OwnImages::could_mean(std::string_view reference) const {
  std::string pattern(reference);
  for (std::size_t begin; (begin = pattern.find("${")) != std::string::npos;) {
    const std::size_t end = pattern.find('}', begin);
    if (end == std::string::npos) return nullptr;
    pattern.replace(begin, end + 1 - begin, "*");
  }
  if (pattern.size() == reference.size()) return nullptr;
  const std::string wanted = tagged(workspace::parse_reference(pattern));
  const auto fits = [&](const std::string& name) { return ::fnmatch(wanted.c_str(), name.c_str(), 0) == 0; };
  for (const auto& [repository, image] : by_repository_) {
    if (fits(repository + ":latest")) return &image;
  }
  for (const auto& [alias, image] : by_alias_) {
    if (fits(alias)) return &image;
  }
  return nullptr;
}

}  // namespace otto::images
