#include "engine/images/image_probe.h"

#include <algorithm>
#include <map>

#include "cache/build_store.h"
#include "engine/images/base_images.h"

namespace otto::execute {

namespace {

docker::Pull pull_of(const config::ImageSettings& image, const ImageRunRequest& request) {
  if (request.dry_run) return docker::Pull::kNever;
  if (request.pull) return docker::Pull::kAlways;
  return image.track_base ? docker::Pull::kMissing : docker::Pull::kNever;
}

}  // namespace

void settle_from_probe(inputs::RepoInputs& images, const docker::Probe& probe) {
  inputs::BaseIds ids;
  for (const auto& [reference, state] : probe.bases) {
    if (const auto id = inputs::image_digest(state.id)) ids.emplace(reference, *id);
  }
  inputs::settle_bases(images, ids);
}

docker::ProbeRequest probe_request(const inputs::RepoInputs& images, const ImageRunRequest& request) {
  docker::ProbeRequest probe;
  std::map<std::string, docker::BaseQuery> bases;
  for (const inputs::ImageInputs& image : images.images) {
    probe.repositories.push_back(image.repository);
    for (const std::string& base : image.external) {
      if (!inputs::is_movable(base)) continue;
      docker::BaseQuery& query = bases[base];
      query.reference = base;
      query.platform = image.settings->platform.value_or("");
      query.pull = std::max(query.pull, pull_of(*image.settings, request));
    }
  }
  for (auto& [reference, query] : bases) probe.bases.push_back(std::move(query));
  return probe;
}

Result<void> settle_from_memo(Workspace& workspace, const config::Settings& repo, inputs::RepoInputs& images) {
  OTTO_TRY(cache::Database* const memo, workspace.memo());
  inputs::BaseIds ids;
  for (const inputs::ImageInputs& image : images.images) {
    if (!image.settings->track_base) continue;
    OTTO_TRY(const auto last, cache::BuildStore(*memo).last_build_anywhere(repo.name, image.name()));
    if (!last) continue;
    for (const graph::Component& component : last->fingerprint.components) {
      if (component.kind == graph::ComponentKind::kBase) ids.emplace(component.subject, component.digest);
    }
  }
  inputs::settle_bases(images, ids);
  return {};
}

}  // namespace otto::execute
