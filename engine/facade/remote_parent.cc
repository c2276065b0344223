#include "engine/facade/remote_parent.h"

#include "engine/images/build.h"
#include "engine/images/built_record.h"
#include "engine/images/prune.h"
#include "engine/parent/remote_lock.h"
#include "engine/parent/remote_probe.h"
#include "engine/stack/compose_calls.h"
#include "engine/stage/stage.h"
#include "engine/stage/stage_script.h"
#include "transport/remote.h"

namespace otto::facade {

namespace {

using parent::ParentFacts;

class RemoteParent final : public parent::Parent {
 public:
  /// Borrows the connection.
  RemoteParent(transport::Remote& remote, parent::ParentSettings settings)
      : remote_(remote), settings_(std::move(settings)) {}

  [[nodiscard]] const std::string& host_id() const override { return remote_.host_id(); }

  Result<parent::Probe> probe(const parent::ProbeRequest& request, const std::stop_token& stop) override {
    return parent::probe_parent(remote_, settings_, request, stop);
  }
  Result<parent::StageState> stage(const ParentFacts& facts, const parent::StageRequest& request) override {
    const std::string in_turn =
        request.turn ? parent::project_turn_text(facts, *request.turn, stage::kStageTurnLost) : std::string();
    return stage::bring_stage(remote_, facts.stage_tools(), request, in_turn);
  }
  [[nodiscard]] Result<void> check_builder(const ParentFacts& facts,
                                           const parent::BuildRequest& request) const override {
    return images::check_builder(facts, request);
  }
  Result<parent::BuiltImage> build(const ParentFacts& facts, const parent::BuildRequest& request) override {
    return images::build_image(remote_, settings_, facts, request);
  }
  Result<void> tag(const std::string& reference, const std::string& tag, const std::stop_token& stop) override {
    return images::tag_image(remote_, settings_, reference, tag, stop);
  }
  Result<std::map<std::string, graph::BuiltFrom>> records(const ParentFacts& facts,
                                                          const std::vector<parent::RecordQuery>& queries,
                                                          const std::stop_token& stop) override {
    return images::read_records(remote_, facts, queries, stop);
  }
  Result<parent::PruneSurvey> survey(const ParentFacts& facts, const parent::PruneQuery& query,
                                     const std::stop_token& stop) override {
    return images::survey_parent({remote_, settings_, facts, stop}, query);
  }
  Result<std::map<std::string, std::string>> remove(const ParentFacts& facts, const std::vector<parent::Removal>& what,
                                                    const std::stop_token& stop) override {
    return images::remove_pruned({remote_, settings_, facts, stop}, what);
  }
  std::unique_ptr<parent::ProjectLock> lock(const ParentFacts& facts, const std::string& project,
                                            const std::stop_token& stop) override {
    return std::make_unique<parent::RemoteLock>(remote_, facts, project, stop);
  }
  std::unique_ptr<parent::Compose> compose(const ParentFacts& facts, const std::string& project,
                                           const std::stop_token& stop) override {
    return std::make_unique<stack::RemoteCompose>(remote_, settings_, facts, project, stop);
  }

 private:
  transport::Remote& remote_;
  const parent::ParentSettings settings_;
};

}  // namespace

Result<std::unique_ptr<parent::Parent>> reach_remote_parent(workspace::Opened& workspace, const config::HostEntry& host,
                                                            const parent::ParentSettings& settings,
                                                            const std::stop_token& stop) {
  OTTO_TRY(transport::Remote * remote, workspace.remote(host, stop));
  return std::unique_ptr<parent::Parent>(std::make_unique<RemoteParent>(*remote, settings));
}

}  // namespace otto::facade
