#include "engine/stack/stack_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "engine/containers/half_replaced.h"
#include "engine/containers/registration.h"
#include "engine/stack/service_background.h"
#include "engine/stack/service_images.h"
#include "engine/stack/service_record.h"
#include "engine/stack/stack_plan.h"
#include "engine/stack/stack_telling.h"
#include "engine/workspace/names.h"
#include "graph/base/clock.h"
#include "graph/base/text.h"

namespace otto::stack {

namespace {

class StackRun {
 public:
  StackRun(parent::ParentSession& session, const StackInputs& stack, StackStage& stage, StackTurn& turn,
           const PinnedImages& images, const StackRunRequest& request)
      : session_(session),
        stack_(stack),
        stage_(stage),
        turn_(turn),
        images_(images),
        request_(request),
        service_images_(session.repo(), stack),
        compose_(session.parent().compose(session.facts(), stack.project, session.stop())) {}

  Result<StackRunResult> operator()(std::optional<StackModel> model, parent::Probe probe) {
    if (!model) {
      if (request_.dry_run) {
        OTTO_TRY(model, stage_.foresee_model(probe));
        if (!model) return notice_unknown_services();
      } else {
        OTTO_TRY(const bool still_true, turn_.take(session_, stack_.project, probe));
        if (!still_true) return StackRunResult{true, {}};
        OTTO_TRY(model, stage_.ask_model());
      }
      OTTO_TRY(probe, session_.probe({.images = service_images_.external(*model), .compose_project = stack_.project}));
    }
    take_model(std::move(*model));
    OTTO_TRY(StackPlan plan, make_plan(probe));
    const bool orphans_go = request_.remove_orphans && !plan.orphans.empty();
    if (request_.dry_run) return tell_plan(plan, probe);
    const bool files_are_there = stage_.is_as_left(probe);
    // Somebody who has the turn, or was cut off in it, may be about to change what was told.
    const bool is_quiet = turn_.held() || !parent::is_open(probe.generation);
    if (plan.waves.empty() && salvage_.steps.empty() && !orphans_go && files_are_there && is_quiet) {
      OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
      tell_unwell(session_, plan, salvage_.containers);
      return finish(plan, probe.containers, {});
    }
    OTTO_TRY(const bool still_true, turn_.take(session_, stack_.project, probe));
    if (!still_true) return StackRunResult{true, {}};
    compose_->in_turn(turn_.token());
    if (files_are_there) stage_.take_as_left(probe);
    return make_true(plan, probe);
  }

 private:
  /// Does what the plan says. The turn is held.
  Result<StackRunResult> make_true(StackPlan& plan, parent::Probe& probe) {
    OTTO_RETURN_IF_ERROR(put_right());
    OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
    tell_unwell(session_, plan, salvage_.containers);
    if (!turn_.held()) return StackRunResult{true, {}};
    OTTO_RETURN_IF_ERROR(stage_.bring());
    if (stage_.call().stage_directory != model_.stage_directory) {  // what is mounted from there must follow
      OTTO_TRY(StackModel moved, stage_.ask_model());
      take_model(std::move(moved));
      OTTO_TRY(plan, make_plan(probe));
    }
    OTTO_RETURN_IF_ERROR(execute(plan));
    if (covers_all_doubts(plan)) turn_.settle();
    if (!plan.waves.empty() || !salvage_.steps.empty() || request_.remove_orphans) {
      OTTO_RETURN_IF_ERROR(look_after(plan, probe));
    }
    turn_.give_back();
    return finish(plan, probe.containers, exits_);
  }

  /// What runs now, and which containers have failed already: two questions at once. Where one has failed, what runs is
  /// asked again, for it may have been told too early.
  Result<void> look_after(const StackPlan& plan, parent::Probe& probe) {
    const auto ask = [&] { return session_.probe({.compose_project = stack_.project}); };
    std::optional<Result<parent::Probe>> asked;
    OTTO_TRY(exits_, compose_->early_exits(started_by(plan, salvage_.containers, one_shots(), since_changes()),
                                           [&] { asked = ask(); }));
    if (asked->ok() && !exits_.empty()) asked = ask();
    OTTO_TRY(probe, std::move(*asked));
    return {};
  }

  [[nodiscard]] std::chrono::milliseconds since_changes() const {
    constexpr std::chrono::seconds kSlack{2};  // until Compose got to work
    return std::chrono::milliseconds(ms_since(began_changing_)) + kSlack;
  }

  /// Nothing that an earlier command left in doubt is of a service that this one does not touch.
  [[nodiscard]] bool covers_all_doubts(const StackPlan& plan) const {
    return std::ranges::none_of(salvage_.containers, [&](const parent::ContainerState& container) {
      return container.doomed && step_of(plan, container.service) == nullptr;
    });
  }

  Result<StackRunResult> finish(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                                const std::vector<parent::EarlyExit>& exits) {
    keep(containers::register_containers(session_, stack_.project, containers));
    OTTO_RETURN_IF_ERROR(tell_early_exits(session_, exits));
    if (request_.wait) OTTO_RETURN_IF_ERROR(wait_for(plan));
    if (memo_error_) return *memo_error_;
    return StackRunResult{false, results(plan, containers)};
  }

  Result<StackRunResult> tell_plan(const StackPlan& plan, const parent::Probe& probe) {
    tell_put_right(session_, stack_.project, salvage_.steps, true);
    OTTO_RETURN_IF_ERROR(tell_orphans(plan.orphans));
    tell_unwell(session_, plan, salvage_.containers);
    return StackRunResult{false, results(plan, probe.containers)};
  }

  Result<StackRunResult> notice_unknown_services() {
    report(Event::notice(
        Phase::kChecking, session_.host().id,
        "the stack's services are not judged: its compose files are new, and too large to be asked about unstaged"));
    return StackRunResult{};
  }

  // --- what the files say ---

  void take_model(StackModel model) {
    model_ = std::move(model);
    for (const compose::ComposeService& service : stack_.files.services) {
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

  void pin_services(const parent::Probe& probe) {
    for (const auto& [name, service] : model_.services) {
      const std::string* own = service_images_.own(service);
      if (own == nullptr) {
        const auto id = probe.image_ids.find(service.image);
        if (id != probe.image_ids.end()) image_ids_[name] = id->second;
        continue;
      }
      const auto tag = images_.tags.find(*own);
      if (tag == images_.tags.end()) {
        pin_as_it_is(name, probe.containers);
        continue;
      }
      pins_[name] = tag->second;
      const auto id = images_.ids.find(tag->second);
      if (id != images_.ids.end()) image_ids_[name] = id->second;
      const auto& later = images_.rebuilt_later;
      if (std::find(later.begin(), later.end(), tag->second) != later.end()) image_ids_[name] = std::nullopt;
    }
  }

  /// A service whose image this command does not build, and nobody here has built, keeps the one that it runs.
  void pin_as_it_is(const std::string& service, const std::vector<parent::ContainerState>& containers) {
    const auto runs = std::ranges::find(containers, service, &parent::ContainerState::service);
    if (runs == containers.end() || runs->image.empty() || runs->image.starts_with("sha256:")) return;
    pins_[service] = runs->image;
    image_ids_[service] = runs->image_id;
  }

  /// Of the services that the plan is about; what the others run does not matter.
  Result<void> check_pins(const StackPlan& plan) const {
    for (const ServiceStep& step : plan.steps) {
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

  Result<StackPlan> make_plan(const parent::Probe& probe) {
    pin_services(probe);
    std::set<std::string> given;
    for (const auto& [name, service] : model_.services) given.insert(service.container_name);
    salvage_ = containers::salvage(probe.containers, given);
    OTTO_TRY(const Background background,
             read_background(session_, model_, salvage_.containers, image_ids_, service_images_, images_));
    OTTO_TRY(StackPlan plan, plan_stack(model_, salvage_.containers, image_ids_, request_.services, background));
    for (ServiceStep& step : plan.steps) say_built_for_nothing(step);
    OTTO_RETURN_IF_ERROR(check_pins(plan));
    return plan;
  }

  // --- why ---

  /// Its image was built anew and came out the same, so the service is left alone.
  void say_built_for_nothing(ServiceStep& step) const {
    if (step.action != docker::ServiceAction::kUnchanged || !step.reason.empty()) return;
    const std::string* own = service_images_.own(model_.services.at(step.service));
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

  [[nodiscard]] std::string host_id_of(const std::string& service) const {
    return workspace::container_host_id(session_.host().id, session_.repo().name, service, 1);
  }
  [[nodiscard]] const std::string& image_of(const std::string& service) const {
    const auto pin = pins_.find(service);
    return pin != pins_.end() ? pin->second : model_.services.at(service).image;
  }

  // --- running the plan ---

  /// What an interrupted command left; the plan knows the containers as they are after it.
  Result<void> put_right() {
    if (salvage_.steps.empty()) return {};
    OTTO_RETURN_IF_ERROR(compose_->put_right(salvage_.steps, doomed_by({}, salvage_.containers, {})));
    tell_put_right(session_, stack_.project, salvage_.steps, false);
    return {};
  }

  Result<void> execute(const StackPlan& plan) {
    began_changing_ = Clock::now();
    session_.tally().expect(work_of(plan));
    const auto run_waves = [&]() -> Result<void> {
      for (const Wave& wave : plan.waves) {
        OTTO_RETURN_IF_ERROR(await(wave.awaits));
        OTTO_RETURN_IF_ERROR(bring_up(wave.recreate, parent::UpCall::Mode::kRecreate, plan));
        OTTO_RETURN_IF_ERROR(bring_up(wave.start, parent::UpCall::Mode::kStart, plan));
      }
      return {};
    };
    auto run = run_waves();
    if (!run.ok() && run.error().code == ErrorCode::kInterrupted && !begun_.empty()) {
      return interrupted_while_changing(session_, stack_.project, begun_, salvage_.containers);
    }
    return run;
  }

  /// Told is only what an earlier wave has not waited for; whether that still holds is looked at all the same.
  Result<void> await(const std::vector<Dependency>& conditions) {
    const auto begun = Clock::now();
    const auto each_new = [&](const auto& tell) {
      for (const Dependency& condition : conditions) {
        const bool healthy = condition.condition == DependencyCondition::kHealthy;
        if (!met_.contains({condition.service, healthy})) tell(condition.service, healthy);
      }
    };
    each_new([&](const std::string& service, bool healthy) {
      report(Event::in_phase(Phase::kWaiting, service, healthy ? "to be healthy" : "to complete"));
    });
    OTTO_RETURN_IF_ERROR(compose_->await(conditions));
    each_new([&](const std::string& service, bool healthy) {
      report(Event::finished(Phase::kWaiting, service, healthy ? "healthy" : "has completed", ms_since(begun)));
      met_.emplace(service, healthy);
    });
    return {};
  }

  /// Compose has one grace for all that a call stops, so services with different ones are called one after the other.
  Result<void> bring_up(const std::vector<std::string>& services, parent::UpCall::Mode mode, const StackPlan& plan) {
    std::map<unsigned, std::vector<std::string>> by_grace;
    for (const std::string& service : services) by_grace[grace_of(service)].push_back(service);
    for (const auto& [grace, some] : by_grace) {
      begun_.insert(some.begin(), some.end());
      parent::UpCall call;
      call.override_yaml = compose_override(pins_, digests(), session_.facts().account);
      call.services = some;
      call.mode = mode;
      call.grace_s = grace;
      call.doomed = doomed_by(plan, salvage_.containers, {begun_.begin(), begun_.end()});
      OTTO_RETURN_IF_ERROR(bring_up(call, plan));
    }
    return {};
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

  // --- containers of services that are no more ---

  /// Removed are they only when asked for, and never those of the repo's other compose files.
  Result<void> tell_orphans(std::vector<parent::ContainerState> orphans) {
    if (orphans.empty()) return {};
    const auto elsewhere = request_.services_elsewhere();
    if (!elsewhere.ok() && !request_.remove_orphans) return {};  // a broken file of another parent's stack
    OTTO_RETURN_IF_ERROR(elsewhere);
    std::erase_if(orphans, [&](const parent::ContainerState& orphan) { return elsewhere->contains(orphan.service); });
    if (orphans.empty()) return {};
    std::vector<std::string> ids, names;
    for (const parent::ContainerState& orphan : orphans) {
      ids.push_back(orphan.id);
      names.push_back(
          workspace::container_host_id(session_.host().id, session_.repo().name, orphan.service, orphan.number));
    }
    const std::string all = text::join(names, ", ");
    if (!request_.remove_orphans) {
      report(Event::warning(
          Phase::kChecking, stack_.project,
          fmt::format("no compose file has these any more: {}; `otto docker up --remove-orphans` removes them", all)));
      return {};
    }
    if (!request_.dry_run) {
      OTTO_RETURN_IF_ERROR(compose_->remove_containers(ids, doomed_by({}, salvage_.containers, {})));
      keep(record_removed(session_, orphans));
    }
    report(Event::notice(Phase::kStopping, stack_.project,
                         fmt::format("{}: {}", request_.dry_run ? "would be removed" : "removed", all)));
    return {};
  }

  Result<void> wait_for(const StackPlan& plan) {
    std::vector<std::string> services;
    for (const ServiceStep& step : plan.steps) {
      if (model_.services.at(step.service).replicas > 0) services.push_back(step.service);
    }
    report(Event::in_phase(Phase::kWaiting, stack_.project, "for the services to be up"));
    return compose_->await_up(services, one_shots());
  }

  static const ServiceStep* step_of(const StackPlan& plan, const std::string& service) {
    const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                    [&](const ServiceStep& step) { return step.service == service; });
    return found == plan.steps.end() ? nullptr : &*found;
  }
  static std::string reason_of(const StackPlan& plan, const std::string& service) {
    const ServiceStep* step = step_of(plan, service);
    return step == nullptr ? "" : step->reason;
  }
  static std::string_view action_of(const StackPlan& plan, const std::string& service) {
    const ServiceStep* step = step_of(plan, service);
    return step == nullptr ? "started" : docker::action_name(step->action);
  }

  // --- what came of it ---

  std::vector<docker::ServiceResult> results(const StackPlan& plan,
                                             const std::vector<parent::ContainerState>& containers) const {
    std::vector<docker::ServiceResult> results;
    for (const ServiceStep& step : plan.steps) {
      docker::ServiceResult result;
      result.service = step.service;
      result.host_id = host_id_of(step.service);
      result.action = step.action;
      result.reasons = step.reasons;
      if (step.action != docker::ServiceAction::kCompleted) result.reason = step.reason;
      result.image = image_of(step.service);
      const auto container =
          std::find_if(containers.begin(), containers.end(),
                       [&](const parent::ContainerState& known) { return known.service == step.service; });
      if (container != containers.end()) result.container_id = container->id;
      results.push_back(std::move(result));
    }
    return results;
  }

  void report(const Event& event) { session_.reporter().report(event); }

  parent::ParentSession& session_;
  const StackInputs& stack_;
  StackStage& stage_;
  StackTurn& turn_;
  const PinnedImages& images_;
  const StackRunRequest& request_;
  const ServiceImages service_images_;
  const std::unique_ptr<parent::Compose> compose_;
  StackModel model_;
  std::map<std::string, std::string> pins_;                      // service → exact tag
  std::map<std::string, std::optional<std::string>> image_ids_;  // service → id on the parent; none: to be built
  containers::Salvage salvage_;
  std::set<std::pair<std::string, bool>> met_;  // service, healthy (else completed): told as met
  std::set<std::string> begun_;                 // services that Compose was called for
  Clock::time_point began_changing_;
  std::vector<parent::EarlyExit> exits_;
  std::optional<Error> memo_error_;
};

}  // namespace

Result<StackRunResult> run_stack(parent::ParentSession& session, const StackInputs& stack, StackStage& stage,
                                 StackTurn& turn, std::optional<StackModel> model, parent::Probe probe,
                                 const PinnedImages& images, const StackRunRequest& request) {
  auto result = StackRun(session, stack, stage, turn, images, request)(std::move(model), std::move(probe));
  // What the parent's tools can do may be why; the next command asks anew.
  if (!result.ok()) static_cast<void>(session.forget_facts());
  return result;
}

}  // namespace otto::stack
