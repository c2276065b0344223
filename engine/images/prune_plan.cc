#include "engine/images/prune_plan.h"

#include <fmt/format.h>

namespace otto::images {

namespace {

/// Why a tag must stay whatever its age; empty: nothing speaks for it.
std::string protection(const OwnTag& tag, const PruneEvidence& evidence) {
  if (const auto current = evidence.current.find(tag.tag); current != evidence.current.end()) return current->second;
  for (const std::string& name : {tag.tag, tag.id}) {
    if (const auto user = evidence.users.find(name); user != evidence.users.end()) {
      return "used by container " + user->second;
    }
  }
  const auto latest = evidence.latest.find(tag.image);
  return latest != evidence.latest.end() && latest->second == tag.id ? "the same image as its :latest" : "";
}

}  // namespace

PrunePlan plan_prune(const PruneEvidence& evidence) {
  PrunePlan plan;
  std::map<std::string, unsigned> kept;
  for (const OwnTag& tag : evidence.tags) {
    PruneStep step{docker::PruneKind::kTag, tag.tag, tag.id, protection(tag, evidence)};
    if (step.why.empty() && kept[tag.image] < evidence.keep) {
      ++kept[tag.image];
      step.why = fmt::format("among the newest {} (--keep)", evidence.keep);
    }
    (step.why.empty() ? plan.remove : plan.keep).push_back(std::move(step));
  }
  for (const std::string& stage : evidence.stages) {
    const bool needed = evidence.needed_stages.contains(stage);
    PruneStep step{docker::PruneKind::kStage, stage, "", needed ? "holds a context that is declared" : ""};
    (needed ? plan.keep : plan.remove).push_back(std::move(step));
  }
  for (const std::string& record : evidence.forgotten_records) {
    plan.remove.push_back({docker::PruneKind::kRecord, record, "", ""});
  }
  return plan;
}

}  // namespace otto::images
