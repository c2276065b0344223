#include "engine/stack/stack_telling.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/parent/docker_command.h"
#include "engine/workspace/names.h"
#include "graph/base/text.h"

namespace otto::stack {

namespace {

/// Of the two seconds within which an interrupted command returns.
constexpr std::chrono::milliseconds kSettles{150}, kPatience{1000};

void report(parent::ParentSession& session, const Event& event) { session.reporter().report(event); }

/// "paused", "unhealthy", …; empty: it is well.
std::string ailment_of(const parent::ContainerState& container) {
  if (parent::is_idle(container)) return std::string(parent::status_name(container.status));
  if (container.status != parent::ContainerStatus::kRunning) return {};
  if (container.restarts > 0) return "restarting";
  return container.health == parent::Health::kUnhealthy ? "unhealthy" : "";
}

std::string described(const parent::ContainerState& container, const std::string& ailment) {
  if (ailment != "restarting" || container.restarts == 0) return "is " + ailment;
  return fmt::format("is restarted again and again ({} {} so far)", container.restarts,
                     container.restarts == 1 ? "time" : "times");
}

/// What a service's containers are now; `before`: as they were when the change began.
std::string state_of(const std::string& service, const std::vector<parent::ContainerState>& now,
                     const std::vector<parent::ContainerState>& before) {
  bool half = false, running = false, fresh = false, any = false, finished = false;
  for (const parent::ContainerState& container : now) {
    if (container.service != service) continue;
    any = true;
    half = half || parent::temporary_name(container.name).has_value();
    running = running || container.status == parent::ContainerStatus::kRunning;
    finished = finished || container.status == parent::ContainerStatus::kExited;
    fresh = fresh || std::ranges::find(before, container.id, &parent::ContainerState::id) == before.end();
  }
  if (!any) return "has no container";
  if (half) return "is half replaced: the engine finishes stopping its old container";
  if (fresh)
    return running    ? "is replaced and runs"
           : finished ? "is replaced and has exited"
                      : "is replaced and not started yet";
  return running ? "runs as before, though it may have been told to stop" : "is stopped";
}

/// What the parent has now, in spite of the interrupt; empty where it does not say within a second.
std::vector<parent::ContainerState> look_once_more(parent::ParentSession& session, const std::string& compose_project) {
  std::this_thread::sleep_for(kSettles);  // Compose is being ended
  std::stop_source stop;
  std::jthread clock([&stop](const std::stop_token& over) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    if (!never.wait_for(lock, over, kPatience, [] { return false; }) && !over.stop_requested()) stop.request_stop();
  });
  auto probe = session.parent().probe({.compose_project = compose_project, .lock_root = session.facts().lock_root},
                                      stop.get_token());
  return probe.ok() ? std::move(probe->containers) : std::vector<parent::ContainerState>();
}

}  // namespace

void tell_unwell(parent::ParentSession& session, const StackPlan& plan,
                 const std::vector<parent::ContainerState>& containers) {
  for (const parent::ContainerState& container : containers) {
    const std::string ailment = ailment_of(container);
    const ServiceStep* step = plan.step_of(container.service);
    if (ailment.empty() || step == nullptr || step->action != docker::ServiceAction::kUnchanged) continue;
    report(session, Event::warning(Phase::kChecking, container.service,
                                   fmt::format("service '{}' {}; {}", container.service, described(container, ailment),
                                               parent::idle_remedy(ailment, session.host().id, container.id))));
  }
}

std::vector<docker::ServiceResult> service_results(const parent::ParentSession& session, const StackPlan& plan,
                                                   const std::vector<parent::ContainerState>& containers,
                                                   const std::function<std::string(const std::string&)>& image_of) {
  std::vector<docker::ServiceResult> results;
  for (const ServiceStep& step : plan.steps) {
    docker::ServiceResult result;
    result.service = step.service;
    result.host_id = workspace::container_host_id(session.host().id, session.repo().name, step.service, 1);
    result.action = step.action;
    result.reasons = step.reasons;
    if (step.action != docker::ServiceAction::kCompleted) result.reason = step.reason;
    result.image = image_of(step.service);
    const auto container = std::ranges::find(containers, step.service, &parent::ContainerState::service);
    if (container != containers.end()) result.container_id = container->id;
    results.push_back(std::move(result));
  }
  return results;
}

void tell_put_right(parent::ParentSession& session, const std::string& compose_project,
                    const std::vector<parent::PutRight>& steps, bool dry_run) {
  if (steps.empty()) return;
  std::vector<std::string> all;
  for (const parent::PutRight& step : steps) {
    all.push_back(step.act == parent::PutRight::Act::kRemove
                      ? fmt::format("'{}' of service {} removed", step.name, step.service)
                      : fmt::format("'{}' is '{}' again", step.name, step.plain_name));
  }
  report(session, Event::notice(Phase::kStarting, compose_project,
                                fmt::format("what an interrupted command left {} put right: {}",
                                            dry_run ? "would be" : "was", text::join(all, ", "))));
}

Result<void> tell_early_exits(parent::ParentSession& session, const std::vector<parent::EarlyExit>& exits) {
  std::string failed;
  for (const parent::EarlyExit& exit : exits) {
    const std::string who = exit.number > 1 ? fmt::format("{} (replica {})", exit.service, exit.number) : exit.service;
    const std::string log = exit.log.empty() ? "; it logged nothing" : ":\n" + exit.log;
    if (exit.restarting) {
      report(session,
             Event::warning(Phase::kStarting, exit.service,
                            fmt::format("service '{}' ended at once and is restarted by its policy{}", who, log)));
    } else if (exit.code == 0) {
      report(session,
             Event::warning(
                 Phase::kStarting, exit.service,
                 fmt::format(
                     "service '{}' exited 0 at once, and every `up` starts it again; if that is its purpose, write "
                     "restart: \"no\" or x-otto: {{oneshot: true}} in its compose file",
                     who)));
    } else {
      failed +=
          fmt::format("{}service '{}' exited at once with code {}{}", failed.empty() ? "" : "\n", who, exit.code, log);
    }
  }
  if (failed.empty()) return {};
  return make_error(ErrorCode::kComposeFailed, fmt::format("on host '{}' {}", session.host().id, failed),
                    "what else was started stays up; mend the service and run `otto docker up` again");
}

Error interrupted_while_changing(parent::ParentSession& session, const std::string& compose_project,
                                 const std::set<std::string>& begun,
                                 const std::vector<parent::ContainerState>& before) {
  const std::vector<parent::ContainerState> now = look_once_more(session, compose_project);
  std::vector<std::string> states;
  for (const std::string& service : begun) {
    states.push_back(now.empty() ? service + " was being changed"
                                 : fmt::format("{} {}", service, state_of(service, now, before)));
  }
  return make_error(ErrorCode::kInterrupted, "interrupted while services were changed: " + text::join(states, "; "),
                    "the next `otto docker up`, or `down`, puts right what is half done");
}

}  // namespace otto::stack
