#include "engine/images/early_stages.h"

#include <algorithm>
#include <utility>

#include "cache/build_store.h"
#include "cache/parent_store.h"

namespace otto::images {

namespace {

/// An edit, not another branch: what is sent for nothing costs little.
constexpr std::uint64_t kMostBytes = 1024 * 1024;

/// Of the files that are not there as they are wanted; 0: the stage holds all that is wanted.
std::uint64_t bytes_to_send(const graph::ContextManifest& held, const graph::ContextManifest& wanted) {
  std::uint64_t bytes = 0;
  for (const graph::ContextEntry& entry : wanted.entries) {
    const graph::ContextEntry* there = held.find(entry.path.view());
    if (there == nullptr || !there->same_content(entry)) bytes += entry.size + 1;
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<EarlyStages>> EarlyStages::begin(parent::ParentSession& session, const RepoInputs& images,
                                                        const ImageRunRequest& request) {
  std::unique_ptr<EarlyStages> stages(new EarlyStages(session));
  if (request.dry_run || session.remembered_facts() == nullptr) return stages;
  stages->facts_ = *session.remembered_facts();
  OTTO_RETURN_IF_ERROR(stages->find(images));
  if (stages->uploads_.empty()) return stages;
  if (request.jobs == 1) {
    stages->bring();
  } else {
    stages->thread_ = std::jthread([self = stages.get()] { self->bring(); });
  }
  return stages;
}

std::vector<EarlyStages::Brought> EarlyStages::take() {
  if (thread_.joinable()) thread_.join();
  return std::move(brought_);
}

Result<void> EarlyStages::find(const RepoInputs& images) {
  for (const ImageInputs& image : images.images) {
    const bool known = std::ranges::find(uploads_, image.context, &Upload::context) != uploads_.end();
    if (known || image.hash.empty()) continue;
    OTTO_TRY(const auto last,
             cache::BuildStore(session_.memo()).last_build(session_.repo().name, image.name(), session_.host().id));
    if (!last || last->hash == image.hash) continue;
    OTTO_TRY(
        const auto before,
        cache::BuildStore(session_.memo()).find(session_.repo().name, image.name(), session_.host().id, image.hash));
    if (before) continue;  // an edit that was taken back: the image is there, most likely
    OTTO_TRY(auto stage, cache::ParentStore(session_.memo()).stage(session_.host().id, image.context->stage_key));
    if (stage) uploads_.push_back({image.context, image.name(), std::move(stage->manifest), std::move(stage->stamp)});
  }
  return {};
}

void EarlyStages::bring() {
  for (const Upload& upload : uploads_) {
    if (!session_.stop().stop_requested()) bring(upload);
  }
}

void EarlyStages::bring(const Upload& upload) {
  parent::StageRequest request;
  request.wanted = &upload.context->scan.manifest;
  request.believed = graph::parse_manifest(upload.manifest);
  if (!request.believed) return;
  const std::uint64_t bytes = bytes_to_send(*request.believed, *request.wanted);
  if (bytes == 0 || bytes > kMostBytes) return;
  request.key = upload.context->stage_key;
  request.source = upload.context->root;
  request.believed_stamp = upload.stamp;
  std::stop_source stop;  // whoever is at work there is not waited for: perhaps nothing need be built
  const std::stop_callback forward(session_.stop(), [&stop] { stop.request_stop(); });
  request.stop = stop.get_token();
  request.waiting = [&stop](const parent::LockHolder&) { stop.request_stop(); };
  request.look = [&](const graph::ContextManifest& there, const std::string&) -> Result<void> {
    if (bytes_to_send(there, *request.wanted) <= kMostBytes) return {};
    return make_error(ErrorCode::kInputsChanged, "the stage is not what it was");
  };
  auto state = session_.parent().stage(facts_, request);
  session_.reporter().left(upload.image);
  if (state.ok()) brought_.push_back({upload.context, std::move(*state)});
}

}  // namespace otto::images
