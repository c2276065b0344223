// What a repo's compose stack on one parent needs, in the schedule of all nodes: plan, call Compose, register.
//
// Files and model are stack_stage.h's. Images are given: their building is image_run.h's work.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/parent/parent_session.h"
#include "engine/parent/probe.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_inputs.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_stage.h"
#include "engine/stack/stack_turn.h"
#include "graph/base/result.h"
#include "graph/drive.h"
#include "graph/node.h"
#include "otto/stack.h"

namespace otto::stack {

struct StackRunRequest {
  std::vector<std::string> services;
  bool wait = false;
  bool remove_orphans = false;
  bool dry_run = false;
  bool builds = false;  ///< the command builds: an image that has gone meanwhile is no error but a new start
  std::optional<unsigned>
      timeout_s;  ///< for what is stopped; else the service's own stop_grace_period, else one second
  /// Names of the services that the repo's compose files of other parents define: no orphans of this stack. Asked where
  /// there are containers of no service.
  std::function<Result<std::set<std::string>>()> services_elsewhere;
};

/// The rules of a stack, its files, services and containers, for graph::drive. The stack's node is stale where anything
/// is to be done on the parent; with it the turn is taken and what an interrupted command left is put right. Behind it
/// come the files, which are brought. The services are known then; those that one call of Compose may bring up are a
/// batch. Behind a service come its containers, all of them one batch: what was started is looked after, the turn is
/// given back, and what runs is registered.
class StackRule {
 public:
  /// Borrows all but `model` and `probe`. `model`: absent: asked for. `probe` must hold the stack's containers and,
  /// with a model, the ids of its external images.
  StackRule(parent::ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
            const StackRunRequest& request, std::optional<StackModel> model, parent::Probe probe);
  ~StackRule();
  StackRule(const StackRule&) = delete;
  StackRule& operator=(const StackRule&) = delete;

  /// Adds the stack and its files to the graph, behind `images`; gives their nodes. Services and containers join later.
  std::vector<graph::NodeId> add_to(graph::Graph& graph, const std::vector<graph::NodeId>& images);
  /// Of all these kinds; the graph is the one that was added to. `images` gives the project's own images when the stack
  /// is judged: those that have been built, or would be.
  std::map<graph::NodeKind, graph::Rules> rules(std::function<PinnedImages()> images);

  // Once all have ended:
  /// The first failure. kComposeFailed, kUnknownName, kConfig, kUnsupported, kInputsChanged (also: an image has gone,
  /// the turn was lost) and errors that end a run.
  [[nodiscard]] const std::optional<Error>& failure() const;
  /// Another otto was at work on the project since the probe: all is to be read anew, in the turn that is held by now.
  [[nodiscard]] bool begins_anew() const;
  /// kInterrupted, saying what state the services are in that Compose was called for.
  [[nodiscard]] Error interrupted() const;
  /// Where all have ended well; with `wait`, once they are up. kComposeFailed (also: a container ended with an error at
  /// once), kDatabase.
  Result<std::vector<docker::ServiceResult>> finish();

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

}  // namespace otto::stack
