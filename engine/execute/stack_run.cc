#include "engine/execute/stack_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "cache/registration_store.h"
#include "engine/execute/service_images.h"
#include "engine/plan/stack_plan.h"
#include "graph/base/text.h"

namespace otto::execute {

namespace {

std::uint64_t ms_since(std::chrono::steady_clock::time_point begun) {
  const auto elapsed = std::chrono::steady_clock::now() - begun;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
}

class StackRun {
 public:
  StackRun(ParentSession& session, const StackInputs& stack, StackStage& stage, const PinnedImages& images,
           const StackRunRequest& request)
      : session_(session),
        stack_(stack),
        stage_(stage),
        images_(images),
        request_(request),
        service_images_(session.repo(), stack),
        compose_(session.remote(), session.settings(), session.facts(), session.workspace().stop()) {}

  Result<std::vector<docker::ServiceResult>> operator()(std::optional<docker::StackModel> model, docker::Probe probe) {
    if (!model) {
      if (request_.dry_run) return notice_unknown_services();
      OTTO_TRY(model_, stage_.ask_model());
      OTTO_TRY(probe, session_.probe({.images = service_images_.external(model_), .compose_project = stack_.project}));
    } else {
      model_ = std::move(*model);
    }
    OTTO_TRY(plan::StackPlan plan, make_plan(probe));
    OTTO_TRY(const bool removed, tell_orphans(plan.orphans));
    tell_idle(plan, probe.containers);
    if (request_.dry_run) return results(plan, probe.containers);
    if (!plan.waves.empty() || stage_.outdated()) {
      OTTO_RETURN_IF_ERROR(stage_.bring());
      if (stage_.call().stage_directory != model_.stage_directory) {  // what is mounted from there must follow
        OTTO_TRY(model_, stage_.ask_model());
        OTTO_TRY(plan, make_plan(probe));
      }
      OTTO_RETURN_IF_ERROR(execute(plan));
    }
    OTTO_TRY(const std::vector<docker::EarlyExit> exits, compose_.early_exits(stack_.project, started(plan)));
    if (!plan.waves.empty() || removed) {
      OTTO_TRY(probe, session_.probe({.compose_project = stack_.project}));
    }
    OTTO_RETURN_IF_ERROR(register_containers(probe.containers));
    OTTO_RETURN_IF_ERROR(check(exits));
    if (request_.wait) OTTO_RETURN_IF_ERROR(wait_for(plan));
    return results(plan, probe.containers);
  }

 private:
  Result<std::vector<docker::ServiceResult>> notice_unknown_services() {
    report({Event::Kind::kNotice, Phase::kChecking, session_.host().id,
            "the stack's services are not judged: its compose files are new, and only the parent can read them", 0, 0,
            0});
    return std::vector<docker::ServiceResult>{};
  }

  // --- images of services ---

  void pin_services(const docker::Probe& probe) {
    for (const auto& [name, service] : model_.services) {
      digests_[name] = service.digest;
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
      return make_error(ErrorCode::kNotRunning,
                        fmt::format("image '{}' of service '{}' {} on {}", *own, step.service,
                                    never ? "was never built" : "is no more", session_.host().id),
                        "run `otto docker up` first");
    }
    return {};
  }

  Result<plan::StackPlan> make_plan(const docker::Probe& probe) {
    pin_services(probe);
    OTTO_TRY(plan::StackPlan plan, plan::plan_stack(model_, probe.containers, image_ids_, request_.services));
    OTTO_RETURN_IF_ERROR(check_pins(plan));
    return plan;
  }

  // --- running the plan ---

  Result<void> execute(const plan::StackPlan& plan) {
    const std::string override_yaml = docker::compose_override(pins_, digests_);
    for (const plan::Wave& wave : plan.waves) {
      OTTO_RETURN_IF_ERROR(await(wave.awaits));
      OTTO_RETURN_IF_ERROR(bring_up(wave.recreate, override_yaml, docker::Compose::Mode::kRecreate, plan));
      OTTO_RETURN_IF_ERROR(bring_up(wave.start, override_yaml, docker::Compose::Mode::kStart, plan));
    }
    return {};
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
    OTTO_RETURN_IF_ERROR(compose_.await(stack_.project, conditions));
    for (const docker::Dependency& condition : conditions) {
      report({Event::Kind::kDone, Phase::kWaiting, condition.service, healthy(condition) ? "healthy" : "completed", 0,
              0, ms_since(begun)});
    }
    return {};
  }

  Result<void> bring_up(const std::vector<std::string>& services, const std::string& override_yaml,
                        docker::Compose::Mode mode, const plan::StackPlan& plan) {
    if (services.empty()) return {};
    const auto begun = std::chrono::steady_clock::now();
    for (const std::string& service : services) {
      report({Event::Kind::kPhase, Phase::kStarting, service, reason_of(plan, service), 0, 0, 0});
    }
    const auto result = compose_.up(stage_.call(), override_yaml, services, mode);
    if (result.ok() && result->repeated) {
      report({Event::Kind::kNotice, Phase::kStarting, text::join(services, ", "),
              "the engine did not find a network that was just made; it was asked again", 0, 0, 0});
    }
    for (const std::string& service : services) {
      report({result.ok() ? Event::Kind::kDone : Event::Kind::kFailed, Phase::kStarting, service,
              std::string(action_of(plan, service)), 0, 0, ms_since(begun)});
    }
    OTTO_RETURN_IF_ERROR(result);
    return {};
  }

  static std::vector<std::string> started(const plan::StackPlan& plan) {
    std::vector<std::string> all;
    for (const plan::Wave& wave : plan.waves) {
      all.insert(all.end(), wave.recreate.begin(), wave.recreate.end());
      all.insert(all.end(), wave.start.begin(), wave.start.end());
    }
    return all;
  }

  /// Those that their restart policy starts again may be waiting for something: a warning. Others have failed.
  Result<void> check(const std::vector<docker::EarlyExit>& exits) {
    std::string failed;
    for (const docker::EarlyExit& exit : exits) {
      const std::string who =
          exit.number > 1 ? fmt::format("{} (replica {})", exit.service, exit.number) : exit.service;
      const std::string log = exit.log.empty() ? "; it logged nothing" : ":\n" + exit.log;
      if (exit.restarting) {
        report({Event::Kind::kWarning, Phase::kStarting, exit.service,
                fmt::format("service '{}' ended at once and is restarted by its policy{}", who, log), 0, 0, 0});
      } else {
        failed += fmt::format("{}service '{}' exited at once with code {}{}", failed.empty() ? "" : "\n", who,
                              exit.code, log);
      }
    }
    if (failed.empty()) return {};
    return make_error(ErrorCode::kComposeFailed, fmt::format("on host '{}' {}", session_.host().id, failed),
                      "what else was started stays up; mend the service and run `otto docker up` again");
  }

  /// Services that are called unchanged and do nothing.
  void tell_idle(const plan::StackPlan& plan, const std::vector<plan::ContainerState>& containers) {
    for (const plan::ContainerState& container : containers) {
      const plan::ServiceStep* step = step_of(plan, container.service);
      if (!plan::is_idle(container) || step == nullptr || step->action != docker::ServiceAction::kUnchanged) continue;
      report({Event::Kind::kWarning, Phase::kChecking, container.service,
              fmt::format("service '{}' is {}; {}", container.service, container.status,
                          docker::idle_remedy(container.status, session_.host().id, container.id)),
              0, 0, 0});
    }
  }

  // --- containers of services that are no more ---

  /// True if containers were removed: only when asked, and never those of the repo's other compose files.
  Result<bool> tell_orphans(std::vector<plan::ContainerState> orphans) {
    if (orphans.empty()) return false;
    const auto elsewhere = services_elsewhere(session_.workspace(), session_.target());
    if (!elsewhere.ok() && !request_.remove_orphans) return false;  // a broken file of another parent's stack
    OTTO_RETURN_IF_ERROR(elsewhere);
    std::erase_if(orphans, [&](const plan::ContainerState& orphan) { return elsewhere->contains(orphan.service); });
    if (orphans.empty()) return false;
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
      return false;
    }
    if (!request_.dry_run) OTTO_RETURN_IF_ERROR(compose_.remove_containers(ids));
    report({Event::Kind::kNotice, Phase::kStopping, stack_.project,
            fmt::format("{}: {}", request_.dry_run ? "would be removed" : "removed", all), 0, 0, 0});
    return !request_.dry_run;
  }

  Result<void> wait_for(const plan::StackPlan& plan) {
    std::vector<std::string> services;
    for (const plan::ServiceStep& step : plan.steps) {
      if (model_.services.at(step.service).replicas > 0) services.push_back(step.service);
    }
    report({Event::Kind::kPhase, Phase::kWaiting, stack_.project, "for the services to be up", 0, 0, 0});
    return compose_.await_up(stack_.project, services);
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

  /// A further replica whose id another service has by its own name (`web` twice, and `web-2`) is no host.
  Result<void> register_containers(std::vector<plan::ContainerState> containers) {
    std::ranges::stable_sort(containers, {}, &plan::ContainerState::number);
    std::map<std::string, std::string> taken;  // host id → service
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    std::vector<cache::Registration> registrations;
    for (const plan::ContainerState& container : containers) {
      cache::Registration registration;
      registration.host_id =
          container_host_id(session_.host().id, session_.repo().name, container.service, container.number);
      const auto [owner, is_free] = taken.emplace(registration.host_id, container.service);
      if (!is_free) {
        report({Event::Kind::kWarning, Phase::kChecking, container.service,
                fmt::format("replica {} of service '{}' is no host: '{}' is service '{}'", container.number,
                            container.service, registration.host_id, owner->second),
                0, 0, 0});
        continue;
      }
      registration.parent = session_.host().id;
      registration.lab = session_.host().labs.empty() ? "" : session_.host().labs.front();
      registration.project = session_.repo().name;
      registration.compose_project = stack_.project;
      registration.service = container.service;
      registration.replica = container.number;
      registration.container_id = container.id;
      registration.image = container.image;
      registration.state = container.status == "running" ? "running" : "exited";
      registration.last_seen_ms = now.count();
      registrations.push_back(std::move(registration));
    }
    return cache::RegistrationStore(session_.memo()).replace(session_.host().id, session_.repo().name, registrations);
  }

  Result<std::vector<docker::ServiceResult>> results(const plan::StackPlan& plan,
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
  const PinnedImages& images_;
  const StackRunRequest& request_;
  const ServiceImages service_images_;
  docker::Compose compose_;
  docker::StackModel model_;
  std::map<std::string, std::string> pins_;       // service → exact tag
  std::map<std::string, std::string> image_ids_;  // service → id on the parent
  std::map<std::string, graph::Digest> digests_;  // service → digest, for the label
};

}  // namespace

std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number) {
  const std::string base = text::to_lower(fmt::format("{}.{}.{}", parent, project, service));
  return number <= 1 ? base : fmt::format("{}-{}", base, number);
}

Result<std::vector<docker::ServiceResult>> run_stack(ParentSession& session, const StackInputs& stack,
                                                     StackStage& stage, std::optional<docker::StackModel> model,
                                                     docker::Probe probe, const PinnedImages& images,
                                                     const StackRunRequest& request) {
  auto results = StackRun(session, stack, stage, images, request)(std::move(model), std::move(probe));
  // What the parent's tools can do may be why; the next command asks anew.
  if (!results.ok()) static_cast<void>(session.forget_facts());
  return results;
}

}  // namespace otto::execute
