// prune_images: what a project needs no longer on its parents, removed.

#include <algorithm>
#include <limits>
#include <set>

#include "cache/build_store.h"
#include "cache/parent_store.h"
#include "engine/images/built_record.h"
#include "engine/images/image_run.h"
#include "engine/images/prune.h"
#include "engine/images/repo_images.h"
#include "engine/workspace/targets.h"

namespace otto::docker {

namespace {

/// One repo on one parent: gather what is known, plan, remove.
class Prune {
 public:
  Prune(workspace::Opened& workspace, const workspace::Target& target, const PruneOptions& options)
      : workspace_(workspace), target_(target), options_(options) {}

  Result<PruneReport> operator()() {
    report_.parent = target_.host->id;
    report_.repo = target_.repo->name;
    OTTO_TRY(const images::RepoInputs images, images::read_repo_images(workspace_, *target_.repo, {}));
    OTTO_TRY(parent::ParentSession session, parent::ParentSession::open(workspace_, target_));
    protect_current(images);
    OTTO_TRY(const std::vector<cache::BuildRecord> builds, own_builds(session));
    OTTO_TRY(const images::PruneSurvey survey, survey_of(session, builds));
    const images::PrunePlan plan = images::plan_prune(evidence_);
    std::map<std::string, std::string> stayed;
    if (!options_.dry_run) {
      OTTO_TRY(stayed, images::remove_pruned(call_of(session), plan.remove));
      OTTO_RETURN_IF_ERROR(forget(session, plan, stayed));
    }
    tell(plan, stayed, survey);
    return std::move(report_);
  }

 private:
  images::PruneCall call_of(const parent::ParentSession& session) const {
    return {&session.remote(), &session.settings(), &session.facts(), workspace_.stop()};
  }

  void protect_current(const images::RepoInputs& images) {
    for (const images::ImageInputs& image : images.images) {
      evidence_.current[image.tag] = "what is on disk now";
      evidence_.needed_stages.insert(image.context->stage_key);
      latest_[image.name()] = image.latest;
    }
    evidence_.keep = options_.keep;
  }

  /// Builds of this user on this parent, newest first; images that were only found there are somebody else's.
  Result<std::vector<cache::BuildRecord>> own_builds(const parent::ParentSession& session) {
    cache::BuildStore store(session.memo());
    OTTO_TRY(std::vector<cache::BuildRecord> builds,
             store.history(target_.repo->name, std::nullopt, std::numeric_limits<std::size_t>::max()));
    std::erase_if(builds, [&](const auto& build) { return build.parent != target_.host->id; });
    std::set<std::string> seen;
    for (const cache::BuildRecord& build : builds) {
      if (!latest_.contains(build.image) || !seen.insert(build.image).second) continue;
      evidence_.current.emplace(build.tag, "what `up --no-build` starts");
    }
    std::erase_if(builds, [](const auto& build) { return build.reasons.empty(); });
    return builds;
  }

  Result<images::PruneSurvey> survey_of(parent::ParentSession& session, const std::vector<cache::BuildRecord>& builds) {
    std::vector<std::string> wanted, ids, records;
    for (const cache::BuildRecord& build : builds) wanted.push_back(build.tag);
    for (const auto& [image, latest] : latest_) wanted.push_back(latest);
    OTTO_TRY(const parent::Probe probe, session.probe({.images = std::move(wanted)}));
    std::set<std::string> tags, forgotten;
    for (const cache::BuildRecord& build : builds) {
      if (!latest_.contains(build.image)) forgotten.insert(images::record_name(target_.repo->name, build.image));
      const auto id = probe.image_ids.find(build.tag);
      if (id == probe.image_ids.end() || !tags.insert(build.tag).second) continue;
      evidence_.tags.push_back({build.image, build.tag, id->second});
      ids.push_back(id->second);
    }
    for (const auto& [image, latest] : latest_) {
      if (const auto id = probe.image_ids.find(latest); id != probe.image_ids.end()) {
        evidence_.latest[image] = id->second;
        forgotten.erase(images::record_name(target_.repo->name, image));
      }
    }
    records.assign(forgotten.begin(), forgotten.end());
    OTTO_TRY(images::PruneSurvey survey, images::survey_parent(call_of(session), target_.repo->name, ids, records));
    evidence_.users = survey.users;
    for (const auto& [stage, bytes] : survey.stages) evidence_.stages.push_back(stage);
    for (const auto& [record, bytes] : survey.records) evidence_.forgotten_records.push_back(record);
    return survey;
  }

  Result<void> forget(const parent::ParentSession& session, const images::PrunePlan& plan,
                      const std::map<std::string, std::string>& stayed) const {
    for (const images::PruneStep& step : plan.remove) {
      if (step.kind != PruneKind::kStage || stayed.contains(step.name)) continue;
      OTTO_RETURN_IF_ERROR(cache::ParentStore(session.memo()).forget_stage(target_.host->id, step.name));
    }
    return {};
  }

  void tell(const images::PrunePlan& plan, const std::map<std::string, std::string>& stayed,
            const images::PruneSurvey& survey) {
    const auto entry_of = [&](const images::PruneStep& step, std::string why) {
      PruneEntry entry{step.kind, step.name, 0, std::move(why)};
      const auto& sizes = step.kind == PruneKind::kTag     ? survey.images
                          : step.kind == PruneKind::kStage ? survey.stages
                                                           : survey.records;
      const auto size = sizes.find(step.kind == PruneKind::kTag ? step.id : step.name);
      if (size != sizes.end()) entry.bytes = size->second;
      return entry;
    };
    for (const images::PruneStep& step : plan.remove) {
      const auto why = stayed.find(step.name);
      if (why == stayed.end()) {
        report_.removed.push_back(entry_of(step, ""));
      } else {
        report_.kept.push_back(entry_of(step, why->second));
      }
    }
    for (const images::PruneStep& step : plan.keep) report_.kept.push_back(entry_of(step, step.why));
  }

  workspace::Opened& workspace_;
  const workspace::Target& target_;
  const PruneOptions& options_;
  images::PruneEvidence evidence_;
  std::map<std::string, std::string> latest_;  // declared image → its :latest reference
  PruneReport report_;
};

}  // namespace

Result<std::vector<PruneReport>> prune_images(Workspace& library, const PruneOptions& options) {
  workspace::Opened& workspace = library.opened();
  OTTO_TRY(const std::vector<workspace::Target> targets, workspace::choose_targets(workspace, options.on));
  return workspace::for_each_target<PruneReport>(
      workspace, targets, [&](const workspace::Target& target) { return Prune(workspace, target, options)(); },
      [](const workspace::Target& target, Error error) {
        return PruneReport{target.host->id, target.repo->name, {}, {}, std::move(error)};
      });
}

}  // namespace otto::docker
