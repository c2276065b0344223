#include "engine/images/image_evidence.h"

#include "cache/build_store.h"
#include "cache/manifest_store.h"
#include "engine/images/base_images.h"
#include "engine/images/built_record.h"

namespace otto::images {

namespace {

std::optional<graph::Digest> dockerfile_digest(const graph::Fingerprint& fingerprint) {
  for (const graph::Component& component : fingerprint.components) {
    if (component.kind == graph::ComponentKind::kDockerfile) return component.digest;
  }
  return std::nullopt;
}

}  // namespace

Result<void> ImageEvidenceReader::ask_records(const parent::ParentSession& session,
                                              const std::vector<ImageInputs>& images) {
  std::vector<RecordQuery> queries;
  cache::BuildStore builds(memo_);
  for (const ImageInputs& image : images) {
    const bool present = probe_.image_ids.contains(image.tag);
    if (present && (!pull_ || image.loose_bases.empty())) continue;
    OTTO_TRY(const auto known, present ? builds.find(target_.repo->name, image.name(), target_.host->id, image.hash)
                                       : builds.last_build(target_.repo->name, image.name(), target_.host->id));
    const std::string name = record_name(target_.repo->name, image.name());
    if (!known) {
      queries.push_back({name, image.context->stage_key});
    } else if (!present && dockerfile_digest(known->fingerprint) != graph::sha256(image.dockerfile)) {
      queries.push_back({name, ""});  // its lines are remembered there only
    }
  }
  OTTO_TRY(records_, queries.empty() ? Result<std::map<std::string, graph::BuiltFrom>>(records_)
                                     : session.parent().records(session.facts(), queries, session.stop()));
  return {};
}

Result<ImageEvidence> ImageEvidenceReader::evidence_for(const ImageInputs& image) {
  ImageEvidence evidence;
  evidence.present = probe_.image_ids.contains(image.tag);
  evidence.pull = pull_;
  for (const std::string& base : image.loose_bases) {
    const auto state = probe_.bases.find(base);
    if (state == probe_.bases.end()) continue;
    std::vector<graph::Digest>& digests = evidence.bases[base];
    if (const auto id = image_digest(state->second.id)) digests.push_back(*id);
    for (const std::string& known : state->second.digests) {
      if (const auto digest = image_digest(known)) digests.push_back(*digest);
    }
  }
  OTTO_RETURN_IF_ERROR(take_memo(image, evidence));
  take_record(image, evidence);
  if (!evidence.here) {
    OTTO_TRY(const auto elsewhere, cache::BuildStore(memo_).last_build_anywhere(target_.repo->name, image.name()));
    if (elsewhere) evidence.elsewhere = elsewhere->parent;
  }
  return evidence;
}

Result<void> ImageEvidenceReader::take_memo(const ImageInputs& image, ImageEvidence& evidence) {
  cache::BuildStore builds(memo_);
  OTTO_TRY(const auto last, builds.last_build(target_.repo->name, image.name(), target_.host->id));
  if (last) {
    graph::BuiltFrom from{last->fingerprint, std::nullopt};
    for (const graph::Component& component : last->fingerprint.components) {
      if (component.kind != graph::ComponentKind::kContext) continue;
      if (component.digest == image.context->hash) continue;  // what is equal is not compared
      OTTO_TRY(from.context, cache::ManifestStore(memo_).load_manifest(component.digest));
    }
    evidence.here = LastBuild{last->hash, std::move(from)};
  }
  OTTO_TRY(const auto same, builds.find(target_.repo->name, image.name(), target_.host->id, image.hash));
  evidence.built_here_before = same.has_value();
  if (same) evidence.present_from = same->fingerprint;
  return {};
}

void ImageEvidenceReader::take_record(const ImageInputs& image, ImageEvidence& evidence) const {
  const auto record = records_.find(record_name(target_.repo->name, image.name()));
  if (record == records_.end()) return;
  const std::string hash = record->second.fingerprint.hash.tag();
  if (!evidence.here) {
    evidence.here = LastBuild{hash, record->second};
  } else if (dockerfile_digest(record->second.fingerprint) == dockerfile_digest(evidence.here->from.fingerprint)) {
    evidence.here->from.dockerfile = record->second.dockerfile;
  }
  if (hash != image.hash) return;
  evidence.built_here_before = true;
  if (!evidence.present_from) evidence.present_from = record->second.fingerprint;
}

}  // namespace otto::images
