#include "engine/images/prune_repo.h"

#include <algorithm>
#include <limits>
#include <set>

#include "cache/build_store.h"
#include "cache/parent_store.h"
#include "engine/images/built_record.h"
#include "engine/images/prune_plan.h"
#include "graph/drive.h"

namespace otto::images {

namespace {

/// One repo on one parent: gather what is known, plan, remove.
class Prune {
 public:
  Prune(parent::ParentSession& session, const docker::PruneOptions& options) : session_(session), options_(options) {}

  Result<docker::PruneReport> operator()(const RepoInputs& images) {
    report_.parent = session_.host().id;
    report_.repo = session_.repo().name;
    protect_current(images);
    OTTO_TRY(const std::vector<cache::BuildRecord> builds, own_builds());
    OTTO_TRY(const parent::PruneSurvey survey, survey_of(builds));
    const PrunePlan plan = plan_prune(evidence_);
    OTTO_RETURN_IF_ERROR(drive(plan));
    tell(plan, survey);
    return std::move(report_);
  }

 private:
  /// What is needed no longer is stale, and all of it goes in one call.
  Result<void> drive(const PrunePlan& plan) {
    graph::Graph graph;
    std::map<graph::NodeId, const PruneStep*> steps;
    std::vector<graph::NodeId> nodes;
    for (const auto* some : {&plan.remove, &plan.keep}) {
      for (const PruneStep& step : *some) {
        const bool stage = step.kind == docker::PruneKind::kStage;
        nodes.push_back(graph.add(stage ? graph::NodeKind::kContext : graph::NodeKind::kImage, step.name));
        steps[nodes.back()] = &step;
      }
    }
    std::optional<Error> failure;
    graph::Rules rules;
    rules.batch = [](graph::NodeId) { return "all"; };
    rules.judge = [&](graph::NodeId node) -> Result<graph::Verdict> {
      return graph::Verdict{steps.at(node)->why.empty()};
    };
    rules.acts_here = [](graph::NodeId) { return true; };
    rules.act = [&](std::span<const graph::NodeId> stale, const std::stop_token&) -> Result<void> {
      std::vector<PruneStep> gone;
      for (const graph::NodeId node : stale) gone.push_back(*steps.at(node));
      return remove(gone);
    };
    rules.ended = [&](std::span<const graph::NodeId>, graph::NodeEnd, const Result<void>& result) {
      if (!result.ok()) failure = result.error();
    };
    graph::DriveOptions options;
    options.jobs = 1;
    options.dry_run = options_.dry_run;
    session_.reporter().driven(graph, graph::drive(graph, nodes, rules, options));
    return failure ? Result<void>(*failure) : Result<void>();
  }

  Result<void> remove(const std::vector<PruneStep>& steps) {
    using Kind = parent::Removal::Kind;
    std::vector<parent::Removal> all;
    for (const PruneStep& step : steps) {
      const Kind kind = step.kind == docker::PruneKind::kTag     ? Kind::kTag
                        : step.kind == docker::PruneKind::kStage ? Kind::kStage
                                                                 : Kind::kRecord;
      all.push_back({kind, step.name});
    }
    OTTO_TRY(stayed_, session_.parent().remove(session_.facts(), all, session_.stop()));
    for (const PruneStep& step : steps) {
      if (step.kind != docker::PruneKind::kStage || stayed_.contains(step.name)) continue;
      OTTO_RETURN_IF_ERROR(cache::ParentStore(session_.memo()).forget_stage(report_.parent, step.name));
    }
    return {};
  }

  void protect_current(const RepoInputs& images) {
    for (const ImageInputs& image : images.images) {
      evidence_.current[image.tag] = "what is on disk now";
      evidence_.needed_stages.insert(image.context->stage_key);
      latest_[image.name()] = image.latest;
    }
    evidence_.keep = options_.keep;
  }

  /// Builds of this user on this parent, newest first; images that were only found there are somebody else's.
  Result<std::vector<cache::BuildRecord>> own_builds() {
    cache::BuildStore store(session_.memo());
    OTTO_TRY(std::vector<cache::BuildRecord> builds,
             store.history(report_.repo, std::nullopt, std::numeric_limits<std::size_t>::max()));
    std::erase_if(builds, [&](const auto& build) { return build.parent != report_.parent; });
    std::set<std::string> seen;
    for (const cache::BuildRecord& build : builds) {
      if (!latest_.contains(build.image) || !seen.insert(build.image).second) continue;
      evidence_.current.emplace(build.tag, "what `up --no-build` starts");
    }
    std::erase_if(builds, [](const auto& build) { return build.reasons.empty(); });
    return builds;
  }

  Result<parent::PruneSurvey> survey_of(const std::vector<cache::BuildRecord>& builds) {
    std::vector<std::string> wanted, ids, records;
    for (const cache::BuildRecord& build : builds) wanted.push_back(build.tag);
    for (const auto& [image, latest] : latest_) wanted.push_back(latest);
    OTTO_TRY(const parent::Probe probe, session_.probe({.images = std::move(wanted)}));
    std::set<std::string> tags, forgotten;
    for (const cache::BuildRecord& build : builds) {
      if (!latest_.contains(build.image)) forgotten.insert(record_name(report_.repo, build.image));
      const auto id = probe.image_ids.find(build.tag);
      if (id == probe.image_ids.end() || !tags.insert(build.tag).second) continue;
      evidence_.tags.push_back({build.image, build.tag, id->second});
      ids.push_back(id->second);
    }
    for (const auto& [image, latest] : latest_) {
      if (const auto id = probe.image_ids.find(latest); id != probe.image_ids.end()) {
        evidence_.latest[image] = id->second;
        forgotten.erase(record_name(report_.repo, image));
      }
    }
    records.assign(forgotten.begin(), forgotten.end());
    OTTO_TRY(parent::PruneSurvey survey,
             session_.parent().survey(session_.facts(), {report_.repo, ids, records}, session_.stop()));
    evidence_.users = survey.users;
    for (const auto& [stage, bytes] : survey.stages) evidence_.stages.push_back(stage);
    for (const auto& [record, bytes] : survey.records) evidence_.forgotten_records.push_back(record);
    return survey;
  }

  void tell(const PrunePlan& plan, const parent::PruneSurvey& survey) {
    const auto entry_of = [&](const PruneStep& step, std::string why) {
      docker::PruneEntry entry{step.kind, step.name, 0, std::move(why)};
      const auto& sizes = step.kind == docker::PruneKind::kTag     ? survey.images
                          : step.kind == docker::PruneKind::kStage ? survey.stages
                                                                   : survey.records;
      const auto size = sizes.find(step.kind == docker::PruneKind::kTag ? step.id : step.name);
      if (size != sizes.end()) entry.bytes = size->second;
      return entry;
    };
    for (const PruneStep& step : plan.remove) {
      const auto why = stayed_.find(step.name);
      if (why == stayed_.end()) {
        report_.removed.push_back(entry_of(step, ""));
      } else {
        report_.kept.push_back(entry_of(step, why->second));
      }
    }
    for (const PruneStep& step : plan.keep) report_.kept.push_back(entry_of(step, step.why));
  }

  parent::ParentSession& session_;
  const docker::PruneOptions& options_;
  PruneEvidence evidence_;
  std::map<std::string, std::string> latest_;  // declared image → its :latest reference
  std::map<std::string, std::string> stayed_;  // what the parent would not remove → why
  docker::PruneReport report_;
};

}  // namespace

Result<docker::PruneReport> prune_repo(parent::ParentSession& session, const RepoInputs& images,
                                       const docker::PruneOptions& options) {
  return Prune(session, options)(images);
}

}  // namespace otto::images
