#include "engine/execute/stack_stage.h"

#include "engine/docker/stage.h"

namespace otto::execute {

namespace {

std::string stage_key(const StackInputs& stack) { return stack.project + "-compose"; }

/// Compose's words about the stage's files, by the names that these have here.
std::string with_local_names(std::string words, const std::string& stage_directory,
                             const std::vector<inputs::StagedPath>& paths) {
  for (const inputs::StagedPath& path : paths) {
    if (path.staged == ".") continue;  // "/." begins other names too
    const std::string staged = stage_directory + "/" + path.staged;
    for (std::size_t at = 0; (at = words.find(staged, at)) != std::string::npos; at += path.local.string().size()) {
      words.replace(at, staged.size(), path.local.string());
    }
  }
  return words;
}

}  // namespace

Result<std::optional<docker::StackModel>> remembered_model(cache::Database& memo, const Target& target,
                                                           const StackInputs& stack) {
  OTTO_TRY(const auto record, cache::ParentStore(memo).stack(target.host->id, stack.project));
  if (!record || record->inputs != stack.digest) return std::optional<docker::StackModel>();
  return docker::parse_stored_stack_model(record->model);
}

Result<std::optional<cache::StageRecord>> StackStage::brought_before() const {
  return cache::ParentStore(session_.memo()).stage(session_.host().id, stage_key(stack_));
}

bool StackStage::outdated() const {
  const auto known = brought_before();
  return known.ok() && *known && (*known)->manifest != graph::serialize(stack_.manifest);
}

Result<void> StackStage::bring() {
  if (brought_) return {};
  OTTO_TRY(const auto known, brought_before());
  docker::StageRequest request;
  request.key = stage_key(stack_);
  request.kind = docker::StageKind::kInPlace;
  request.locate = [this](const std::string& path) { return stack_.locate(path); };
  request.wanted = &stack_.manifest;
  if (known) {
    request.believed = graph::parse_manifest(known->manifest);
    request.believed_stamp = known->stamp;
  }
  request.stop = session_.workspace().stop();
  request.waiting = [this] {
    session_.workspace().reporter().report(
        {Event::Kind::kPhase, Phase::kWaiting, stack_.project, "for another otto", 0, 0, 0});
  };
  auto brought = docker::bring_stage(session_.remote(), session_.facts().stage_tools(), request);
  if (!brought.ok()) return std::move(brought).error().in("uploading the compose files");
  OTTO_RETURN_IF_ERROR(
      cache::ParentStore(session_.memo())
          .put_stage({session_.host().id, request.key, brought->stamp, graph::serialize(stack_.manifest)}));
  call_.project = stack_.project;
  call_.stage_directory = brought->directory;
  call_.project_directory = stack_.files.project_directory;
  call_.home_directory = stack_.files.home_directory;
  call_.files = stack_.files.files;
  call_.variables = stack_.files.variables;
  call_.environment = stack_.environment;
  brought_ = true;
  return {};
}

Result<docker::StackModel> StackStage::ask_model() {
  OTTO_RETURN_IF_ERROR(bring());
  Reporter& reporter = session_.workspace().reporter();
  reporter.report({Event::Kind::kPhase, Phase::kChecking, session_.host().id, "compose config", 0, 0, 0});
  auto json = docker::Compose(session_.remote(), session_.settings(), session_.facts(), stack_.project,
                              session_.workspace().stop())
                  .config(call_);
  reporter.left(session_.host().id);
  if (!json.ok()) {
    static_cast<void>(session_.forget_facts());  // what the parent's tools can do may be why
    Error refused = std::move(json).error();
    refused.message = with_local_names(std::move(refused.message), call_.stage_directory, stack_.files.paths);
    return refused;
  }
  OTTO_TRY(docker::StackModel model,
           docker::parse_stack_model(*json, call_.stage_directory, stack_.staged, call_.project_directory));
  OTTO_RETURN_IF_ERROR(cache::ParentStore(session_.memo())
                           .put_stack({session_.host().id, stack_.project, stack_.digest, docker::serialize(model)}));
  return model;
}

}  // namespace otto::execute
