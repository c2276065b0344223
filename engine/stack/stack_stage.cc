#include "engine/stack/stack_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "cache/service_store.h"
#include "engine/compose/stage_layout.h"
#include "engine/stack/compose_calls.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::stack {

namespace {

/// Compose's words about the stage's files, by the names that these have here.
std::string with_local_names(std::string words, const std::string& stage_directory,
                             const std::vector<compose::StagedPath>& paths) {
  for (const compose::StagedPath& path : paths) {
    if (path.staged == ".") continue;  // "/." begins other names too
    const std::string staged = std::filesystem::path(stage_directory + "/" + path.staged).lexically_normal().string();
    words = text::replace_all(std::move(words), staged, path.local.string());
  }
  return words;
}

Error placed_elsewhere(const parent::ParentSession& session) {
  return make_error(ErrorCode::kInputsChanged,
                    fmt::format("the stack's files lie elsewhere in their stage on {}", session.host().id));
}

}  // namespace

Result<std::optional<StackModel>> remembered_model(cache::Database& memo, const workspace::Target& target,
                                                   const StackInputs& stack) {
  OTTO_TRY(const auto record, cache::ParentStore(memo).stack(target.host->id, stack.project));
  if (!record || record->inputs != stack.digest) return std::optional<StackModel>();
  return parse_stored_stack_model(record->model);
}

Result<std::optional<cache::StageRecord>> StackStage::brought_before() const {
  return cache::ParentStore(session_.memo()).stage(session_.host().id, parent::stack_stage_key(stack_.project));
}

bool StackStage::is_as_left(const parent::Probe& probe) const {
  if (probe.stack_stamp.empty()) return false;
  const auto known = brought_before();
  return known.ok() && *known && (*known)->stamp == probe.stack_stamp &&
         (*known)->manifest == graph::serialize(stack_.manifest);
}

void StackStage::take_as_left(const parent::Probe& probe) {
  settle(session_.facts().stage_root + "/" + parent::stack_stage_key(stack_.project) + "/" + probe.stack_tree);
  brought_ = true;
}

parent::StageRequest StackStage::request(const std::optional<cache::StageRecord>& known) const {
  parent::StageRequest request;
  request.key = parent::stack_stage_key(stack_.project);
  request.kind = parent::StageKind::kInPlace;
  request.locate = [this](const std::string& path) { return stack_.locate(path); };
  request.wanted = &stack_.manifest;
  request.tree_link = stack_.files.tree_link;
  request.turn = {stack_.project, turn_.token()};
  if (known) {
    request.believed = graph::parse_manifest(known->manifest);
    request.believed_stamp = known->stamp;
  }
  request.stop = session_.stop();
  request.waiting = [this](const parent::LockHolder& holder) {
    session_.reporter().report(Event::in_phase(Phase::kWaiting, stack_.project, parent::waiting_for(holder)));
  };
  return request;
}

Result<void> StackStage::bring() {
  if (brought_) return {};
  OTTO_TRY(const auto known, brought_before());
  parent::StageRequest request = this->request(known);
  std::optional<cache::StageRecord> other;  // what the stage holds, where it has the repo elsewhere
  request.look = [&](const graph::ContextManifest& held, const std::string& stamp) -> Result<void> {
    const auto& target = session_.target();
    if (held.entries.empty()) return {};
    if (compose::find_anchor(held, target.repo->root, first_compose_file(target)) == stack_.anchor) return {};
    other = {session_.host().id, parent::stack_stage_key(stack_.project), stamp, graph::serialize(held)};
    return placed_elsewhere(session_);
  };
  auto brought = session_.parent().stage(session_.facts(), request);
  if (other) OTTO_RETURN_IF_ERROR(cache::ParentStore(session_.memo()).put_stage(*other));
  if (!brought.ok()) return std::move(brought).error().in("uploading the compose files");
  OTTO_RETURN_IF_ERROR(
      cache::ParentStore(session_.memo())
          .put_stage({session_.host().id, request.key, brought->stamp, graph::serialize(stack_.manifest)}));
  sent_files_ = brought->uploaded_files;
  settle(std::move(brought->directory));
  brought_ = true;
  return {};
}

void StackStage::settle(std::string directory) {
  call_.project = stack_.project;
  call_.stage_directory = std::move(directory);
  call_.project_directory = stack_.files.project_directory;
  call_.home_directory = stack_.files.home_directory;
  call_.files = stack_.files.files;
  call_.variables = stack_.files.variables;
  call_.environment = stack_.environment;
  call_.without_env_files.clear();
  for (const compose::ComposeService& service : stack_.files.services) {
    if (service.idle && service.has_env_file) call_.without_env_files.push_back(service.name);
  }
}

/// What Compose names by the link to the tree, by the tree: whether it enters there or not makes no difference to what
/// services are.
std::string StackStage::canonical(std::string text) const {
  if (stack_.files.tree_link.empty()) return text;
  const std::string& tree = call_.stage_directory;
  return text::replace_all(std::move(text), "/" + stack_.files.tree_link, tree.substr(tree.rfind('/')));
}

ModelSources StackStage::sources() const {
  ModelSources sources;
  sources.stage_directory = call_.stage_directory;
  sources.project_directory = call_.project_directory;
  sources.staged = stack_.staged;
  sources.variables = stack_.environment;
  for (const compose::ComposeService& service : stack_.files.services) {
    ModelSources::OfService& own = sources.services[service.name];
    own.written = service.sources;
    for (const compose::StagedPath& path : stack_.files.paths) {
      if (service.sources.files.contains(path.local)) own.staged_files.insert(path.staged);
    }
  }
  const graph::ChangeKey& key = session_.memo().change_key();
  sources.secret.assign(key.bytes.begin(), key.bytes.end());
  return sources;
}

Result<void> StackStage::remember_definitions(const StackModel& model) {
  std::vector<cache::StoredDefinition> definitions;
  for (const auto& [name, service] : model.services) {
    definitions.push_back({session_.repo().name, name, service.digest.hex(), serialize(service.definition)});
  }
  return cache::ServiceStore(session_.memo()).put_definitions(definitions);
}

Result<std::string> StackStage::ask(const std::function<Result<std::string>(parent::Compose&)>& question) {
  Reporter& reporter = session_.reporter();
  reporter.report(Event::in_phase(Phase::kChecking, session_.host().id, "compose config"));
  const auto compose = session_.parent().compose(session_.facts(), stack_.project, session_.stop());
  auto answer = question(*compose);
  reporter.left(session_.host().id);
  if (answer.ok()) return canonical(std::move(*answer));
  static_cast<void>(session_.forget_facts());  // what the parent's tools can do may be why
  Error refused = std::move(answer).error();
  refused.message = with_local_names(canonical(std::move(refused.message)), call_.stage_directory, stack_.files.paths);
  return refused;
}

Result<StackModel> StackStage::read_model(std::string answer) {
  OTTO_TRY(StackModel model, parse_stack_model(answer, sources()));
  OTTO_RETURN_IF_ERROR(remember_definitions(model));
  return model;
}

Result<StackModel> StackStage::ask_model() {
  OTTO_RETURN_IF_ERROR(bring());
  OTTO_TRY(std::string answer, ask([this](parent::Compose& compose) {
             compose.in_turn(turn_.token());
             return compose.config(call_);
           }));
  OTTO_TRY(StackModel model, read_model(std::move(answer)));
  OTTO_RETURN_IF_ERROR(cache::ParentStore(session_.memo())
                           .put_stack({session_.host().id, stack_.project, stack_.digest, serialize(model)}));
  return model;
}

Result<std::optional<StackModel>> StackStage::foresee_model(const parent::Probe& probe) {
  constexpr std::uintmax_t kMost = 4U << 20;
  parent::ScratchFiles scratch;
  scratch.links = stack_.files.links;
  if (const std::string& link = stack_.files.tree_link; !link.empty()) {
    std::string to(kScratchTree);
    for (auto up = std::ranges::count(link, '/'); up > 0; --up) to.insert(0, "../");
    scratch.links.emplace("../" + link, std::move(to));
  }
  std::uintmax_t size = 0;
  for (const compose::StagedPath& path : stack_.files.paths) {
    std::error_code error;
    if (!path.read || !std::filesystem::is_regular_file(path.local, error)) continue;
    size += std::filesystem::file_size(path.local, error);
    if (error || size > kMost) return std::optional<StackModel>();
    auto text = read_whole_file(path.local);
    // Nothing that Compose reads for this has a NUL: it is the content of a config or of a secret.
    if (text && text->find('\0') == std::string::npos) scratch.files.emplace(path.staged, std::move(*text));
  }
  const std::string tree = probe.stack_tree.empty() ? "tree" : probe.stack_tree;
  settle(session_.facts().stage_root + "/" + parent::stack_stage_key(stack_.project) + "/" + tree);
  OTTO_TRY(std::string answer, ask([&](parent::Compose& compose) { return compose.config_of(call_, scratch); }));
  OTTO_TRY(StackModel model, read_model(std::move(answer)));
  return std::optional(std::move(model));
}

}  // namespace otto::stack
