// A stack's files on its parent, and what the parent's Compose makes of them: its model.
//
// Where the inputs of `docker compose config` are as remembered, its answer is taken from the memo, so that a command
// with nothing to do makes no compose call.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cache/parent_store.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/stack_inputs.h"
#include "engine/stack/stack_model.h"
#include "engine/stack/stack_turn.h"
#include "graph/base/result.h"

namespace otto::stack {

/// The model if the memo knows it for exactly these inputs. kDatabase.
Result<std::optional<StackModel>> remembered_model(cache::Database& memo, const workspace::Target& target,
                                                   const StackInputs& stack);

class StackStage {
 public:
  /// All must outlive it. The turn is held before anything is brought.
  StackStage(parent::ParentSession& session, const StackInputs& stack, const StackTurn& turn)
      : session_(session), stack_(stack), turn_(turn) {}

  /// By the probe's word the parent's stage is as it was left, and what it was left with are these files.
  [[nodiscard]] bool is_as_left(const parent::Probe& probe) const;
  /// Believes that, for bring(): nothing need be asked or sent.
  void take_as_left(const parent::Probe& probe);
  /// Brings the files there, once; needs the session's facts. Errors as docker::bring_stage; kInputsChanged also where
  /// the stage has the repo elsewhere in its tree than it was thought (the memo was lost): that is remembered, and the
  /// inputs are to be read again.
  Result<void> bring();
  /// brings() the files, asks the parent what they mean and remembers it. kComposeFailed, kConfig, kUnsupported.
  Result<StackModel> ask_model();
  /// What ask_model() would say, without bringing anything: the files go with the question. For a dry run; nothing is
  /// remembered but which parts the definitions have. nullopt: they are too much to go with it.
  Result<std::optional<StackModel>> foresee_model(const parent::Probe& probe);
  /// How many files bring() sent.
  [[nodiscard]] std::uint64_t sent_files() const { return sent_files_; }
  /// How Compose is called with what bring() brought.
  [[nodiscard]] const parent::ComposeStack& call() const { return call_; }

 private:
  [[nodiscard]] Result<std::optional<cache::StageRecord>> brought_before() const;
  void settle(std::string directory);
  [[nodiscard]] Result<std::string> ask(const std::function<Result<std::string>(parent::Compose&)>& question);
  Result<StackModel> read_model(std::string answer);
  [[nodiscard]] parent::StageRequest request(const std::optional<cache::StageRecord>& known) const;
  [[nodiscard]] std::string canonical(std::string text) const;
  [[nodiscard]] ModelSources sources() const;
  Result<void> remember_definitions(const StackModel& model);

  parent::ParentSession& session_;
  const StackInputs& stack_;
  const StackTurn& turn_;
  parent::ComposeStack call_;
  bool brought_ = false;
  std::uint64_t sent_files_ = 0;
};

}  // namespace otto::stack
