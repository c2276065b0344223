#include "engine/execute/stack_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "engine/execute/registration.h"
#include "engine/execute/service_images.h"
#include "engine/execute/stack_telling.h"
#include "engine/plan/half_replaced.h"
#include "engine/plan/stack_plan.h"
#include "graph/base/text.h"

namespace otto::execute {

namespace {

std::uint64_t step_ms(std::chrono::steady_clock::time_point begun) {
  const auto elapsed = std::chrono::steady_clock::now() - begun;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
}

class StackRun {
 public:
  StackRun(ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
           const PinnedImages& images, const StackRunRequest& request)
      : session_(session),
        stack_(stack),
        stage_(stage),
        turn_(turn),
        images_(images),
        request_(request),
        service_images_(session.repo(), stack),
        compose_(session.remote(), session.settings(), session.facts(), stack.project, session.workspace().stop()) {}

  Result<StackRunResult> operator()(std::optional<docker::StackModel> model, docker::Probe probe) {
    if (!model) {
      if (request_.dry_run) return notice_unknown_services();
      OTTO_TRY(const bool still_true, turn_.take(session_, stack_.project, probe));
      if (!still_true) return StackRunResult{true, {}};
      OTTO_TRY(model, stage_.ask_model());
      OTTO_TRY(probe, session_.probe({.images = service_images_.external(*model), .compose_project = stack_.project}));
    }
    take_model(std::move(*model));
    OTTO_TRY(plan::StackPlan plan, make_plan(probe));
    const bool orphans_go = request_.remove_orphans && !plan.orphans.empty();
    if (request_.dry_run) return tell_plan(plan, probe);
    const bool files_are_there = stage_.is_as_left(probe);
    if (plan.waves.empty() && salvage_.steps.empty() && !orphans_go && files_are_there) {
      OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
      tell_unwell(session_, plan, salvage_.containers);
      return finish(plan, probe.containers, {});
    }
    OTTO_TRY(const bool still_true, turn_.take(session_, stack_.project, probe));
    if (!still_true) return StackRunResult{true, {}};
    compose_.in_turn(turn_.token());
    if (files_are_there) stage_.take_as_left(probe);
    return make_true(plan, probe);
  }

 private:
  /// Does what the plan says. The turn is held.
  Result<StackRunResult> make_true(plan::StackPlan& plan, docker::Probe& probe) {
    OTTO_RETURN_IF_ERROR(put_right());
    OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
    tell_unwell(session_, plan, salvage_.containers);
    if (!turn_.held()) return StackRunResult{true, {}};
    OTTO_RETURN_IF_ERROR(stage_.bring());
    if (stage_.call().stage_directory != model_.stage_directory) {  // what is mounted from there must follow
      OTTO_TRY(docker::StackModel moved, stage_.ask_model());
      take_model(std::move(moved));
      OTTO_TRY(plan, make_plan(probe));
    }
    OTTO_RETURN_IF_ERROR(execute(plan));
    if (covers_all_doubts(plan)) turn_.settle();
    OTTO_TRY(const std::vector<docker::EarlyExit> exits, compose_.early_exits(started(plan), one_shots()));
    if (!plan.waves.empty() || !salvage_.steps.empty() || request_.remove_orphans) {
      OTTO_TRY(probe, session_.probe({.compose_project = stack_.project}));
    }
    turn_.give_back();
    return finish(plan, probe.containers, exits);
  }

  /// Nothing that an earlier command left in doubt is of a service that this one does not touch.
  [[nodiscard]] bool covers_all_doubts(const plan::StackPlan& plan) const {
    return std::ranges::none_of(salvage_.containers, [&](const plan::ContainerState& container) {
      return container.doomed && step_of(plan, container.service) == nullptr;
    });
  }

  Result<StackRunResult> finish(const plan::StackPlan& plan, const std::vector<plan::ContainerState>& containers,
                                const std::vector<docker::EarlyExit>& exits) {
    OTTO_RETURN_IF_ERROR(register_containers(session_, stack_.project, containers));
    OTTO_RETURN_IF_ERROR(tell_early_exits(session_, exits));
    if (request_.wait) OTTO_RETURN_IF_ERROR(wait_for(plan));
    return StackRunResult{false, results(plan, containers)};
  }

  Result<StackRunResult> tell_plan(const plan::StackPlan& plan, const docker::Probe& probe) {
    tell_put_right(session_, stack_.project, salvage_.steps, true);
    OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
    tell_unwell(session_, plan, salvage_.containers);
    return StackRunResult{false, results(plan, probe.containers)};
  }

  Result<StackRunResult> notice_unknown_services() {
    report({Event::Kind::kNotice, Phase::kChecking, session_.host().id,
            "the stack's services are not judged: its compose files are new, and only the parent can read them", 0, 0,
            0});
    return StackRunResult{};
  }

  // --- what the files say ---

  void take_model(docker::StackModel model) {
    model_ = std::move(model);
    for (const inputs::ComposeService& service : stack_.files.services) {
      const auto known = model_.services.find(service.name);
      if (service.oneshot && known != model_.services.end()) known->second.one_shot = *service.oneshot;
    }
  }

  [[nodiscard]] std::set<std::string> one_shots() const {
    std::set<std::string> names;
    for (const auto& [name, service] : model_.services) {
      if (service.one_shot) names.insert(name);
    }
    return names;
  }

  // --- images of services ---

  [[nodiscard]] std::map<std::string, graph::Digest> digests() const {
    std::map<std::string, graph::Digest> digests;
    for (const auto& [name, service] : model_.services) digests[name] = service.digest;
    return digests;
  }

  void pin_services(const docker::Probe& probe) {
    for (const auto& [name, service] : model_.services) {
      const std::string* own = service_images_.own(service);
      if (own == nullptr) {
        const auto id = probe.image_ids.find(service.image);
        if (id != probe.image_ids.end()) image_ids_[name] = id->second;
        continue;
      }
      const auto tag = images_.tags.find(*own);
      if (tag == images_.tags.end()) continue;
      pins_[name] = tag->second;
      const auto id = images_.ids.find(tag->second);
      if (id != images_.ids.end()) image_ids_[name] = id->second;
      const auto& later = images_.rebuilt_later;
      if (std::find(later.begin(), later.end(), tag->second) != later.end()) image_ids_[name] = "to be built";
    }
  }

  /// Of the services that the plan is about; what the others run does not matter.
  Result<void> check_pins(const plan::StackPlan& plan) const {
    for (const plan::ServiceStep& step : plan.steps) {
      const std::string* own = service_images_.own(model_.services.at(step.service));
      if (own == nullptr) continue;
      const bool needs_image =
          step.action == docker::ServiceAction::kCreated || step.action == docker::ServiceAction::kRecreated;
      const bool never = !pins_.contains(step.service);
      if (!never && (!needs_image || image_ids_.contains(step.service))) continue;
      if (!never && request_.builds) return image_has_gone(pins_.at(step.service));
      return make_error(ErrorCode::kNotRunning,
                        fmt::format("image '{}' of service '{}' {} on {}", *own, step.service,
                                    never ? "was never built" : "is no more", session_.host().id),
                        "run `otto docker up` first");
    }
    return {};
  }

  Result<plan::StackPlan> make_plan(const docker::Probe& probe) {
    pin_services(probe);
    std::set<std::string> given;
    for (const auto& [name, service] : model_.services) given.insert(service.container_name);
    salvage_ = plan::salvage(probe.containers, given);
    OTTO_TRY(plan::StackPlan plan, plan::plan_stack(model_, salvage_.containers, image_ids_, request_.services));
    OTTO_RETURN_IF_ERROR(check_pins(plan));
    return plan;
  }

  // --- running the plan ---

  /// What an interrupted command left; the plan knows the containers as they are after it.
  Result<void> put_right() {
    if (salvage_.steps.empty()) return {};
    OTTO_RETURN_IF_ERROR(compose_.put_right(salvage_.steps, plan::doomed_by({}, salvage_.containers, {})));
    tell_put_right(session_, stack_.project, salvage_.steps, false);
    return {};
  }

  Result<void> execute(const plan::StackPlan& plan) {
    const auto run_waves = [&]() -> Result<void> {
      for (const plan::Wave& wave : plan.waves) {
        OTTO_RETURN_IF_ERROR(await(wave.awaits));
        OTTO_RETURN_IF_ERROR(bring_up(wave.recreate, docker::UpCall::Mode::kRecreate, plan));
        OTTO_RETURN_IF_ERROR(bring_up(wave.start, docker::UpCall::Mode::kStart, plan));
      }
      return {};
    };
    auto run = run_waves();
    if (!run.ok() && run.error().code == ErrorCode::kInterrupted && !begun_.empty()) {
      return interrupted_while_changing(session_, stack_.project, begun_, salvage_.containers);
    }
    return run;
  }

  Result<void> await(const std::vector<docker::Dependency>& conditions) {
    const auto begun = std::chrono::steady_clock::now();
    const auto healthy = [](const docker::Dependency& condition) {
      return condition.condition == docker::DependencyCondition::kHealthy;
    };
    for (const docker::Dependency& condition : conditions) {
      report({Event::Kind::kPhase, Phase::kWaiting, condition.service,
              healthy(condition) ? "to be healthy" : "to complete", 0, 0, 0});
    }
    OTTO_RETURN_IF_ERROR(compose_.await(conditions));
    for (const docker::Dependency& condition : conditions) {
      report({Event::Kind::kDone, Phase::kWaiting, condition.service, healthy(condition) ? "healthy" : "completed", 0,
              0, step_ms(begun)});
    }
    return {};
  }

  /// Compose has one grace for all that a call stops, so services with different ones are called one after the other.
  Result<void> bring_up(const std::vector<std::string>& services, docker::UpCall::Mode mode,
                        const plan::StackPlan& plan) {
    std::map<unsigned, std::vector<std::string>> by_grace;
    for (const std::string& service : services) by_grace[grace_of(service)].push_back(service);
    for (const auto& [grace, some] : by_grace) {
      begun_.insert(some.begin(), some.end());
      docker::UpCall call;
      call.override_yaml = docker::compose_override(pins_, digests(), session_.facts().account);
      call.services = some;
      call.mode = mode;
      call.grace_s = grace;
      call.doomed = plan::doomed_by(plan, salvage_.containers, {begun_.begin(), begun_.end()});
      OTTO_RETURN_IF_ERROR(bring_up(call, plan));
    }
    return {};
  }

  [[nodiscard]] unsigned grace_of(const std::string& service) const {
    constexpr unsigned kGrace = 1;
    if (request_.timeout_s) return *request_.timeout_s;
    return model_.services.at(service).stop_grace_s.value_or(kGrace);
  }

  Result<void> bring_up(docker::UpCall& call, const plan::StackPlan& plan) {
    const auto begun = std::chrono::steady_clock::now();
    for (const std::string& service : call.services) {
      report({Event::Kind::kPhase, Phase::kStarting, service, reason_of(plan, service), 0, 0, 0});
    }
    call.on_stop = [&](std::string_view container, bool stopping) {
      const auto known = std::ranges::find(salvage_.containers, container, &plan::ContainerState::name);
      if (known == salvage_.containers.end() || known->status == "exited" || known->status == "created") return;
      report({Event::Kind::kPhase, stopping ? Phase::kStopping : Phase::kStarting, known->service,
              stopping ? fmt::format("up to {} s, {}", call.grace_s, reason_of(plan, known->service))
                       : reason_of(plan, known->service),
              0, 0, 0});
    };
    const auto result = compose_.up(stage_.call(), call);
    if (result.ok() && *result) {
      report({Event::Kind::kNotice, Phase::kStarting, text::join(call.services, ", "),
              "the engine did not find a network that was just made; it was asked again", 0, 0, 0});
    }
    if (!result.ok() && result.error().code == ErrorCode::kInterrupted) return result.error();
    for (const std::string& service : call.services) {
      report({result.ok() ? Event::Kind::kDone : Event::Kind::kFailed, Phase::kStarting, service,
              std::string(action_of(plan, service)), 0, 0, step_ms(begun)});
    }
    if (!result.ok()) OTTO_RETURN_IF_ERROR(check_images_are_there());
    OTTO_RETURN_IF_ERROR(result);
    return {};
  }

  /// After a failure: kInputsChanged where somebody has removed an image that this command found or made.
  Result<void> check_images_are_there() {
    if (!request_.builds || session_.workspace().stop().stop_requested()) return {};
    std::vector<std::string> pinned;
    for (const auto& [service, tag] : pins_) pinned.push_back(tag);
    const auto probe = session_.probe({.images = pinned});
    for (const auto& [service, tag] : pins_) {
      if (probe.ok() && !probe->image_ids.contains(tag)) return image_has_gone(tag);
    }
    return {};
  }

  [[nodiscard]] Error image_has_gone(const std::string& image) const {
    return make_error(ErrorCode::kInputsChanged,
                      fmt::format("image '{}' was removed on {} meanwhile", image, session_.host().id),
                      "run the command again when nobody removes images there");
  }

  static std::vector<std::string> started(const plan::StackPlan& plan) {
    std::vector<std::string> all;
    for (const plan::Wave& wave : plan.waves) {
      all.insert(all.end(), wave.recreate.begin(), wave.recreate.end());
      all.insert(all.end(), wave.start.begin(), wave.start.end());
    }
    return all;
  }

  // --- containers of services that are no more ---

  /// Removed are they only when asked for, and never those of the repo's other compose files.
  Result<void> tell_orphans(std::vector<plan::ContainerState> orphans) {
    if (orphans.empty()) return {};
    const auto elsewhere = services_elsewhere(session_.workspace(), session_.target());
    if (!elsewhere.ok() && !request_.remove_orphans) return {};  // a broken file of another parent's stack
    OTTO_RETURN_IF_ERROR(elsewhere);
    std::erase_if(orphans, [&](const plan::ContainerState& orphan) { return elsewhere->contains(orphan.service); });
    if (orphans.empty()) return {};
    std::vector<std::string> ids, names;
    for (const plan::ContainerState& orphan : orphans) {
      ids.push_back(orphan.id);
      names.push_back(container_host_id(session_.host().id, session_.repo().name, orphan.service, orphan.number));
    }
    const std::string all = text::join(names, ", ");
    if (!request_.remove_orphans) {
      report(
          {Event::Kind::kWarning, Phase::kChecking, stack_.project,
           fmt::format("no compose file has these any more: {}; `otto docker up --remove-orphans` removes them", all),
           0, 0, 0});
      return {};
    }
    if (!request_.dry_run) {
      OTTO_RETURN_IF_ERROR(compose_.remove_containers(ids, plan::doomed_by({}, salvage_.containers, {})));
    }
    report({Event::Kind::kNotice, Phase::kStopping, stack_.project,
            fmt::format("{}: {}", request_.dry_run ? "would be removed" : "removed", all), 0, 0, 0});
    return {};
  }

  Result<void> wait_for(const plan::StackPlan& plan) {
    std::vector<std::string> services;
    for (const plan::ServiceStep& step : plan.steps) {
      if (model_.services.at(step.service).replicas > 0) services.push_back(step.service);
    }
    report({Event::Kind::kPhase, Phase::kWaiting, stack_.project, "for the services to be up", 0, 0, 0});
    return compose_.await_up(services, one_shots());
  }

  static const plan::ServiceStep* step_of(const plan::StackPlan& plan, const std::string& service) {
    const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                    [&](const plan::ServiceStep& step) { return step.service == service; });
    return found == plan.steps.end() ? nullptr : &*found;
  }
  static std::string reason_of(const plan::StackPlan& plan, const std::string& service) {
    const plan::ServiceStep* step = step_of(plan, service);
    return step == nullptr ? "" : step->reason;
  }
  static std::string_view action_of(const plan::StackPlan& plan, const std::string& service) {
    const plan::ServiceStep* step = step_of(plan, service);
    return step == nullptr ? "started" : docker::action_name(step->action);
  }

  // --- what came of it ---

  std::vector<docker::ServiceResult> results(const plan::StackPlan& plan,
                                             const std::vector<plan::ContainerState>& containers) const {
    std::vector<docker::ServiceResult> results;
    for (const plan::ServiceStep& step : plan.steps) {
      docker::ServiceResult result;
      result.service = step.service;
      result.host_id = container_host_id(session_.host().id, session_.repo().name, step.service, 1);
      result.action = step.action;
      if (step.action != docker::ServiceAction::kCompleted) result.reason = step.reason;
      const auto pin = pins_.find(step.service);
      result.image = pin != pins_.end() ? pin->second : model_.services.at(step.service).image;
      const auto container = std::find_if(containers.begin(), containers.end(), [&](const plan::ContainerState& known) {
        return known.service == step.service;
      });
      if (container != containers.end()) result.container_id = container->id;
      results.push_back(std::move(result));
    }
    return results;
  }

  void report(const Event& event) { session_.workspace().reporter().report(event); }

  ParentSession& session_;
  const StackInputs& stack_;
  StackStage& stage_;
  StackTurn& turn_;
  const PinnedImages& images_;
  const StackRunRequest& request_;
  const ServiceImages service_images_;
  docker::Compose compose_;
  docker::StackModel model_;
  std::map<std::string, std::string> pins_;       // service → exact tag
  std::map<std::string, std::string> image_ids_;  // service → id on the parent
  plan::Salvage salvage_;
  std::set<std::string> begun_;  // services that Compose was called for
};

}  // namespace

Result<StackRunResult> run_stack(ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
                                 std::optional<docker::StackModel> model, docker::Probe probe,
                                 const PinnedImages& images, const StackRunRequest& request) {
  auto result = StackRun(session, stack, stage, turn, images, request)(std::move(model), std::move(probe));
  // What the parent's tools can do may be why; the next command asks anew.
  if (!result.ok()) static_cast<void>(session.forget_facts());
  return result;
}

}  // namespace otto::execute
