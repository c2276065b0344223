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

OwnImages::OwnImages(const config::Settings& repo) : registry_url_(repo.registry_url), project_(repo.name) {
  for (const config::ImageSettings& image : repo.images) {
    names_.insert(image.name);
    for (const std::string& alias : image.aliases)
      by_alias_.emplace(tagged(workspace::parse_reference(alias)), image.name);
  }
}

const std::string* OwnImages::find(std::string_view reference, std::string_view asking) const {
  const workspace::ParsedReference wanted = workspace::parse_reference(reference);
  if (!wanted.digest.empty()) return nullptr;
  const auto alias = by_alias_.find(tagged(wanted));
  if (alias != by_alias_.end() && alias->second != asking) return &alias->second;
  const auto own = workspace::own_image_name(reference, registry_url_, project_);
  const auto name = own ? names_.find(*own) : names_.end();
  return name == names_.end() ? nullptr : &*name;
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
  const auto fits = [&](const std::string& known) { return ::fnmatch(wanted.c_str(), known.c_str(), 0) == 0; };
  for (const std::string& name : names_) {
    for (const std::string& registry : {registry_url_, std::string()}) {
      if (fits(tagged(workspace::parse_reference(docker::image_latest_tag(registry, project_, name))))) return &name;
    }
  }
  for (const auto& [alias, image] : by_alias_) {
    if (fits(alias)) return &image;
  }
  return nullptr;
}

}  // namespace otto::images
