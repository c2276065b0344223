#include "engine/stack/stack_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "engine/containers/half_replaced.h"
#include "engine/containers/registration.h"
#include "engine/stack/condition_wait.h"
#include "engine/stack/orphans.h"
#include "engine/stack/service_background.h"
#include "engine/stack/service_pins.h"
#include "engine/stack/service_record.h"
#include "engine/stack/stack_plan.h"
#include "engine/stack/stack_telling.h"
#include "engine/workspace/names.h"
#include "graph/base/clock.h"
#include "graph/base/text.h"

namespace otto::stack {

using graph::NodeKind;

class StackRule::Run {
 public:
  Run(parent::ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
      const StackRunRequest& request, std::optional<StackModel> model, parent::Probe probe)
      : session_(session),
        stack_(stack),
        stage_(stage),
        turn_(turn),
        request_(request),
        pins_(session.repo(), stack, session.host().id, request.builds),
        compose_(session.parent().compose(session.facts(), stack.project, session.stop())),
        conditions_(*compose_, session.reporter()),
        probe_(std::move(probe)),
        has_model_(model.has_value()) {
    if (model) take_model(std::move(*model));
  }

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] bool begins_anew() const { return begins_anew_; }

  std::vector<graph::NodeId> add_to(graph::Graph& graph, const std::vector<graph::NodeId>& images) {
    graph_ = &graph;
    the_stack_ = graph.add(NodeKind::kStack, stack_.project);
    the_files_ = graph.add(NodeKind::kStackFiles, stack_.project);
    for (const graph::NodeId image : images) graph.add_gate(the_stack_, image);
    graph.add_gate(the_files_, the_stack_);
    return {the_stack_, the_files_};
  }

  std::map<NodeKind, graph::Rules> rules(std::function<PinnedImages()> images) {
    graph::Rules common;
    common.acts_here = common.is_vital = [](graph::NodeId) { return true; };
    common.ended = [this](std::span<const graph::NodeId> nodes, graph::NodeEnd, const Result<void>& result) {
      if (!result.ok() && !failure_) failure_ = result.error();
      if (result.ok() && nodes.front() == the_files_) add_services();
    };
    const auto name = [this](graph::NodeId node) -> const std::string& { return graph_->node(node).name; };
    graph::Rules stack = common, files = common, service = common, container = common;
    stack.judge = [this, images = std::move(images)](graph::NodeId) {
      images_ = images();
      return judge_stack();
    };
    stack.act = [this](std::span<const graph::NodeId>, const std::stop_token&) { return begin(); };
    files.judge = [this](graph::NodeId) { return judge_files(); };
    files.act = [this](std::span<const graph::NodeId>, const std::stop_token&) { return bring_files(); };
    service.batch = [this, name](graph::NodeId node) { return batch(name(node)); };
    service.judge = [this, name](graph::NodeId node) { return judge(name(node)); };
    service.act = [this, name](std::span<const graph::NodeId> nodes, const std::stop_token&) {
      std::vector<std::string> services;
      for (const graph::NodeId node : nodes) services.push_back(name(node));
      auto done = bring_up(services);
      if (!done.ok() && done.error().code == ErrorCode::kInterrupted) return Result<void>(interrupted());
      return done;
    };
    container.batch = [](graph::NodeId) { return "all"; };
    container.judge = [this](graph::NodeId node) -> Result<graph::Verdict> {
      Result<graph::Verdict> verdict = judge(graph_->node(graph_->node(node).inputs.front()).name);
      if (!request_.dry_run) verdict->stale = true;  // what runs is put down each time; the memo writes what differs
      return verdict;
    };
    container.act = [this](std::span<const graph::NodeId>, const std::stop_token&) { return register_all(); };
    return {{NodeKind::kStack, stack},
            {NodeKind::kStackFiles, files},
            {NodeKind::kService, service},
            {NodeKind::kRegistration, container}};
  }

  [[nodiscard]] Error interrupted() const {
    if (begun_.empty()) return make_error(ErrorCode::kInterrupted, "interrupted");
    return interrupted_while_changing(session_, stack_.project, begun_, salvage_.containers);
  }

  Result<std::vector<docker::ServiceResult>> finish() {
    if (request_.dry_run) return results();
    OTTO_RETURN_IF_ERROR(register_all());  // of a stack without services
    OTTO_RETURN_IF_ERROR(tell_early_exits(session_, exits_));
    if (request_.wait) OTTO_RETURN_IF_ERROR(wait_for(plan_));
    if (memo_error_) return *memo_error_;
    return results();
  }

 private:
  // --- the stack ---

  Result<graph::Verdict> judge_stack() {
    if (!has_model_ && !request_.dry_run) return graph::Verdict{true};
    if (!has_model_) {
      OTTO_TRY(auto foreseen, stage_.foresee_model(probe_));
      if (!foreseen) {
        notice_unknown_services();
        return graph::Verdict{};
      }
      take_model(std::move(*foreseen));
      OTTO_RETURN_IF_ERROR(probe_with_model());
    }
    OTTO_TRY(plan_, make_plan());
    if (has_work() && !request_.dry_run) return graph::Verdict{true};
    if (request_.dry_run) tell_put_right(session_, stack_.project, salvage_.steps, true);
    OTTO_RETURN_IF_ERROR(tell_what_is_there());
    return graph::Verdict{has_work()};
  }

  /// What is there already is told once the turn is held: before, another otto may be changing it.
  Result<void> begin() {
    const bool was_planned = has_model_;
    OTTO_RETURN_IF_ERROR(take_turn());
    if (!was_planned) {
      OTTO_TRY(StackModel model, stage_.ask_model());
      take_model(std::move(model));
      OTTO_RETURN_IF_ERROR(probe_with_model());
      OTTO_TRY(plan_, make_plan());
    }
    compose_->in_turn(turn_.token());
    if (stage_.is_as_left(probe_)) stage_.take_as_left(probe_);
    OTTO_RETURN_IF_ERROR(put_right());
    OTTO_RETURN_IF_ERROR(tell_what_is_there());
    if (!turn_.held()) return anew();
    acts_ = true;
    return {};
  }

  Result<graph::Verdict> judge_files() {
    if (request_.dry_run) return graph::Verdict{!stage_.is_as_left(probe_)};
    return graph::Verdict{acts_};  // asks nothing where they are as left
  }

  Result<void> bring_files() {
    OTTO_RETURN_IF_ERROR(stage_.bring());
    if (stage_.call().stage_directory != model_.stage_directory) {  // what is mounted from there must follow
      OTTO_TRY(StackModel moved, stage_.ask_model());
      take_model(std::move(moved));
      OTTO_TRY(plan_, make_plan());
    }
    began_changing_ = Clock::now();
    session_.tally().expect(work_of(plan_));
    return {};
  }

  // --- services ---

  /// Each is made from the stack's files and its image, and waits for the wave before its own.
  void add_services() {
    std::vector<graph::NodeId> before;
    for (const Wave& wave : plan_.waves) {
      std::vector<graph::NodeId> nodes;
      for (const auto* services : {&wave.recreate, &wave.start}) {
        for (const std::string& service : *services) {
          nodes.push_back(graph_->add(NodeKind::kService, service));
          for (const graph::NodeId gate : before) graph_->add_gate(nodes.back(), gate);
        }
      }
      before = std::move(nodes);
    }
    for (const ServiceStep& step : plan_.steps) {
      const graph::NodeId service = graph_->add(NodeKind::kService, step.service);
      graph_->add_input(service, the_files_);
      graph_->add_input(service, image_node(step.service));
      for (unsigned number = 1; number <= step.replicas; ++number) {
        const std::string id =
            workspace::container_host_id(session_.host().id, session_.repo().name, step.service, number);
        graph_->add_input(graph_->add(NodeKind::kRegistration, id), service);
      }
    }
  }

  graph::NodeId image_node(const std::string& service) {
    const std::string* own = pins_.images().own(model_.services.at(service));
    return own != nullptr ? graph_->add(NodeKind::kImage, *own) : graph_->add(NodeKind::kBaseImage, image_of(service));
  }

  [[nodiscard]] Result<graph::Verdict> judge(const std::string& service) const {
    const ServiceStep* step = plan_.step_of(service);
    return graph::Verdict{plan_.wave_of(service).has_value(),
                          step == nullptr ? std::vector<graph::Reason>() : step->reasons};
  }

  /// Compose has one grace for all that a call stops, so services with different ones are called one after the other.
  [[nodiscard]] std::string batch(const std::string& service) const {
    const auto wave = plan_.wave_of(service);
    if (!wave) return {};
    return fmt::format("{} {} {}", *wave, is_replaced(service) ? "recreate" : "start", grace_of(service));
  }

  // --- containers ---

  /// Once; what was started is looked after before.
  Result<void> register_all() {
    if (std::exchange(registered_, true)) return {};
    if (acts_) {
      if (covers_all_doubts(plan_, salvage_.containers)) turn_.settle();
      if (!plan_.waves.empty() || !salvage_.steps.empty() || request_.remove_orphans) {
        OTTO_RETURN_IF_ERROR(look_after(plan_, probe_));
      }
      turn_.give_back();
    }
    keep(containers::register_containers(session_, stack_.project, probe_.containers));
    return {};
  }

  [[nodiscard]] bool has_work() const {
    // Somebody who has the turn, or was cut off in it, may be about to change what was told.
    const bool is_quiet = turn_.held() || !parent::is_open(probe_.generation);
    const bool orphans_go = request_.remove_orphans && !plan_.orphans.empty();
    return !plan_.waves.empty() || !salvage_.steps.empty() || orphans_go || !stage_.is_as_left(probe_) || !is_quiet;
  }

  Error anew() {
    begins_anew_ = true;
    return make_error(ErrorCode::kInputsChanged,
                      fmt::format("another otto was at work on project '{}'", stack_.project));
  }

  Result<void> take_turn() {
    OTTO_TRY(const bool still_true, turn_.take(session_, stack_.project, probe_));
    return still_true ? Result<void>() : anew();
  }

  Result<void> probe_with_model() {
    OTTO_TRY(probe_, session_.probe({.images = pins_.images().external(model_), .compose_project = stack_.project}));
    return {};
  }

  Result<void> tell_what_is_there() {
    OTTO_TRY(const auto removed, settle_orphans(session_, *compose_, stack_.project, plan_.orphans, request_,
                                                doomed_by({}, salvage_.containers, {})));
    if (!removed.empty()) keep(record_removed(session_, removed));
    tell_unwell(session_, plan_, salvage_.containers);
    return {};
  }

  /// What runs now, and which containers have failed already: two questions at once. Where one has failed, what runs is
  /// asked again, for it may have been told too early.
  Result<void> look_after(const StackPlan& plan, parent::Probe& probe) {
    const auto ask = [&] { return session_.probe({.compose_project = stack_.project}); };
    std::optional<Result<parent::Probe>> asked;
    OTTO_TRY(exits_, compose_->early_exits(started_by(plan, salvage_.containers, one_shots(model_), since_changes()),
                                           [&] { asked = ask(); }));
    if (asked->ok() && exits_.empty() && some_have_ended(plan, (*asked)->containers, one_shots(model_))) {
      OTTO_TRY(exits_,
               compose_->early_exits(started_by(plan, salvage_.containers, one_shots(model_), since_changes()), [] {}));
    }
    if (asked->ok() && !exits_.empty()) asked = ask();
    OTTO_TRY(probe, std::move(*asked));
    return {};
  }

  [[nodiscard]] std::chrono::milliseconds since_changes() const {
    constexpr std::chrono::milliseconds kSlack{200};  // the question may travel faster than the call did
    return std::chrono::milliseconds(ms_since(began_changing_)) + kSlack;
  }

  void notice_unknown_services() {
    report(Event::notice(
        Phase::kChecking, session_.host().id,
        "the stack's services are not judged: its compose files are new, and too large to be asked about unstaged"));
  }

  // --- what the files say ---

  void take_model(StackModel model) {
    model_ = std::move(model);
    has_model_ = true;
    for (const compose::ComposeService& service : stack_.files.services) {
      const auto known = model_.services.find(service.name);
      if (service.oneshot && known != model_.services.end()) known->second.one_shot = *service.oneshot;
    }
  }

  // --- images of services ---

  Result<StackPlan> make_plan() {
    pins_.settle(model_, probe_, images_);
    std::set<std::string> given;
    for (const auto& [name, service] : model_.services) given.insert(service.container_name);
    salvage_ = containers::salvage(probe_.containers, given);
    OTTO_TRY(const Background background,
             read_background(session_, model_, salvage_.containers, pins_.ids(), pins_.images(), images_));
    OTTO_TRY(StackPlan plan, plan_stack(model_, salvage_.containers, pins_.ids(), request_.services, background));
    for (ServiceStep& step : plan.steps) say_built_for_nothing(step);
    OTTO_RETURN_IF_ERROR(pins_.check(plan, model_));
    return plan;
  }

  // --- why ---

  /// Its image was built anew and came out the same, so the service is left alone.
  void say_built_for_nothing(ServiceStep& step) const {
    if (step.action != docker::ServiceAction::kUnchanged || !step.reason.empty()) return;
    const std::string* own = pins_.images().own(model_.services.at(step.service));
    if (own != nullptr && images_.built.contains(*own)) step.reason = "its image was built anew and is the same";
  }

  /// A memo that cannot be written to stops nothing that has been begun: finish() tells of it.
  void record(const std::vector<std::string>& services, const StackPlan& plan) {
    std::map<std::string, std::string> images;
    for (const std::string& service : services) images[service] = image_of(service);
    keep(record_steps(session_, plan, images));
  }

  /// Of a call that failed: the services that it has done all the same.
  void record_done(const std::vector<std::string>& services, const StackPlan& plan) {
    const auto probe = session_.probe({.compose_project = stack_.project});
    if (probe.ok()) record(services_done(services, model_, salvage_.containers, probe->containers), plan);
  }

  void keep(const Result<void>& result) {
    if (!result.ok() && !memo_error_) memo_error_ = result.error();
  }

  [[nodiscard]] const std::string& image_of(const std::string& service) const {
    const auto pin = pins_.tags().find(service);
    return pin != pins_.tags().end() ? pin->second : model_.services.at(service).image;
  }

  // --- running the plan ---

  /// What an interrupted command left; the plan knows the containers as they are after it.
  Result<void> put_right() {
    if (salvage_.steps.empty()) return {};
    OTTO_RETURN_IF_ERROR(compose_->put_right(salvage_.steps, doomed_by({}, salvage_.containers, {})));
    tell_put_right(session_, stack_.project, salvage_.steps, false);
    return {};
  }

  [[nodiscard]] bool is_replaced(const std::string& service) const {
    const ServiceStep* step = plan_.step_of(service);
    return step != nullptr && step->action == docker::ServiceAction::kRecreated;
  }

  Result<void> bring_up(const std::vector<std::string>& services) {
    const Wave& wave = plan_.waves.at(*plan_.wave_of(services.front()));
    if (awaited_ != &wave) OTTO_RETURN_IF_ERROR(conditions_.await(wave.awaits));
    awaited_ = &wave;
    begun_.insert(services.begin(), services.end());
    parent::UpCall call;
    call.override_yaml = compose_override(pins_.tags(), digests(model_), session_.facts().account);
    call.services = services;
    call.mode = is_replaced(services.front()) ? parent::UpCall::Mode::kRecreate : parent::UpCall::Mode::kStart;
    call.grace_s = grace_of(services.front());
    call.doomed = doomed_by(plan_, salvage_.containers, {begun_.begin(), begun_.end()});
    return bring_up(call, plan_);
  }

  [[nodiscard]] unsigned grace_of(const std::string& service) const {
    constexpr unsigned kGrace = 1;
    if (request_.timeout_s) return *request_.timeout_s;
    return model_.services.at(service).stop_grace_s.value_or(kGrace);
  }

  Result<void> bring_up(parent::UpCall& call, const StackPlan& plan) {
    const auto begun = Clock::now();
    for (const std::string& service : call.services) {
      report(Event::in_phase(Phase::kStarting, service, reason_of(plan, service)));
    }
    call.on_stop = [&](std::string_view container, bool stopping) {
      const auto known = std::ranges::find(salvage_.containers, container, &parent::ContainerState::name);
      if (known == salvage_.containers.end() || known->status == parent::ContainerStatus::kExited ||
          known->status == parent::ContainerStatus::kCreated)
        return;
      report(Event::in_phase(stopping ? Phase::kStopping : Phase::kStarting, known->service,
                             stopping ? fmt::format("up to {} s, {}", call.grace_s, reason_of(plan, known->service))
                                      : reason_of(plan, known->service)));
    };
    const auto result = compose_->up(stage_.call(), call);
    if (result.ok() && *result) {
      report(Event::notice(Phase::kStarting, text::join(call.services, ", "),
                           "the engine did not find a network that was just made; it was asked again"));
    }
    if (!result.ok() && result.error().code == ErrorCode::kInterrupted) return result.error();
    for (const std::string& service : call.services) {
      const std::string action(action_of(plan, service));
      session_.tally().done();
      report(result.ok() ? Event::finished(Phase::kStarting, service, action, ms_since(begun))
                         : Event::failure(Phase::kStarting, service, action, ms_since(begun)));
    }
    if (result.ok()) {
      record(call.services, plan);
      return {};
    }
    if (result.error().code != ErrorCode::kInputsChanged) record_done(call.services, plan);  // else they are another's
    OTTO_RETURN_IF_ERROR(check_images_are_there());
    return result.error();
  }

  /// After a failure: kInputsChanged where somebody has removed an image that this command found or made.
  Result<void> check_images_are_there() {
    if (!request_.builds || session_.stop().stop_requested()) return {};
    std::vector<std::string> pinned;  // what this command found or made, not what others run
    for (const auto& [image, tag] : images_.tags) pinned.push_back(tag);
    const auto probe = session_.probe({.images = pinned});
    for (const auto& [service, tag] : pins_.tags()) {
      const bool asked = std::ranges::find(pinned, tag) != pinned.end();
      if (asked && probe.ok() && !probe->image_ids.contains(tag)) return pins_.gone(tag);
    }
    return {};
  }

  Result<void> wait_for(const StackPlan& plan) {
    std::vector<std::string> services;
    for (const ServiceStep& step : plan.steps) {
      if (model_.services.at(step.service).replicas > 0) services.push_back(step.service);
    }
    report(Event::in_phase(Phase::kWaiting, stack_.project, "for the services to be up"));
    return compose_->await_up(services, one_shots(model_));
  }

  static std::string reason_of(const StackPlan& plan, const std::string& service) {
    const ServiceStep* step = plan.step_of(service);
    return step == nullptr ? "" : step->reason;
  }
  static std::string_view action_of(const StackPlan& plan, const std::string& service) {
    const ServiceStep* step = plan.step_of(service);
    return step == nullptr ? "started" : docker::action_name(step->action);
  }

  [[nodiscard]] std::vector<docker::ServiceResult> results() const {
    return service_results(session_, plan_, probe_.containers,
                           [this](const std::string& service) { return image_of(service); });
  }

  void report(const Event& event) { session_.reporter().report(event); }

  parent::ParentSession& session_;
  const StackInputs& stack_;
  StackStage& stage_;
  StackTurn& turn_;
  PinnedImages images_;
  const StackRunRequest& request_;
  ServicePins pins_;
  const std::unique_ptr<parent::Compose> compose_;
  ConditionWait conditions_;
  parent::Probe probe_;
  StackModel model_;
  bool has_model_ = false;
  StackPlan plan_;
  graph::Graph* graph_ = nullptr;
  graph::NodeId the_stack_, the_files_;
  bool acts_ = false, begins_anew_ = false, registered_ = false;
  std::optional<Error> failure_;
  const Wave* awaited_ = nullptr;  // the wave whose conditions were awaited last
  containers::Salvage salvage_;
  std::set<std::string> begun_;  // services that Compose was called for
  Clock::time_point began_changing_;
  std::vector<parent::EarlyExit> exits_;
  std::optional<Error> memo_error_;
};

StackRule::StackRule(parent::ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
                     const StackRunRequest& request, std::optional<StackModel> model, parent::Probe probe)
    : run_(std::make_unique<Run>(session, stack, stage, turn, request, std::move(model), std::move(probe))) {}
StackRule::~StackRule() = default;
std::vector<graph::NodeId> StackRule::add_to(graph::Graph& graph, const std::vector<graph::NodeId>& images) {
  return run_->add_to(graph, images);
}
std::map<NodeKind, graph::Rules> StackRule::rules(std::function<PinnedImages()> images) {
  return run_->rules(std::move(images));
}
const std::optional<Error>& StackRule::failure() const { return run_->failure(); }
Error StackRule::interrupted() const { return run_->interrupted(); }
bool StackRule::begins_anew() const { return run_->begins_anew(); }
Result<std::vector<docker::ServiceResult>> StackRule::finish() { return run_->finish(); }

}  // namespace otto::stack
