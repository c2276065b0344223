#include "engine/images/image_probe.h"

#include <algorithm>
#include <map>

#include "cache/build_store.h"
#include "engine/images/base_images.h"

namespace otto::images {

namespace {

parent::Pull pull_of(const config::ImageSettings& image, const ImageRunRequest& request) {
  if (request.dry_run) return parent::Pull::kNever;
  if (request.pull) return parent::Pull::kAlways;
  return image.track_base ? parent::Pull::kMissing : parent::Pull::kNever;
}

}  // namespace

void settle_from_probe(RepoInputs& images, const parent::Probe& probe) {
  BaseIds ids;
  for (const auto& [reference, state] : probe.bases) {
    if (const auto id = image_digest(state.id)) ids.emplace(reference, *id);
  }
  settle_bases(images, ids);
}

parent::ProbeRequest probe_request(const RepoInputs& images, const ImageRunRequest& request) {
  parent::ProbeRequest probe;
  std::map<std::string, parent::BaseQuery> bases;
  for (const ImageInputs& image : images.images) {
    probe.repositories.push_back(image.repository);
    for (const std::string& base : image.external) {
      if (!is_movable(base)) continue;
      parent::BaseQuery& query = bases[base];
      query.reference = base;
      query.platform = image.settings->platform.value_or("");
      query.pull = std::max(query.pull, pull_of(*image.settings, request));
    }
  }
  for (auto& [reference, query] : bases) probe.bases.push_back(std::move(query));
  return probe;
}

Result<void> settle_from_memo(cache::Database& memo, const config::Settings& repo, RepoInputs& images) {
  BaseIds ids;
  for (const ImageInputs& image : images.images) {
    if (!image.settings->track_base) continue;
    OTTO_TRY(const auto last, cache::BuildStore(memo).last_build_anywhere(repo.name, image.name()));
    if (!last) continue;
    for (const graph::Component& component : last->fingerprint.components) {
      if (component.kind == graph::ComponentKind::kBase) ids.emplace(component.subject, component.digest);
    }
  }
  settle_bases(images, ids);
  return {};
}

}  // namespace otto::images
