#include "engine/stack/stack_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/base/text.h"

namespace otto::stack {
namespace {

using graph::Reason;
using graph::ReasonKind;

bool is_stopped(const parent::ContainerState& container) {
  return container.status == parent::ContainerStatus::kExited || container.status == parent::ContainerStatus::kCreated;
}

/// Docker cannot start such a container again.
bool is_dead(const parent::ContainerState& container) {
  return container.status == parent::ContainerStatus::kDead || container.status == parent::ContainerStatus::kRemoving;
}

bool lives_in(const ServiceModel& service, const std::string& other) {
  return std::find(service.lives_in.begin(), service.lives_in.end(), other) != service.lives_in.end();
}

/// Everything the service stands on: depends_on, and what it lives in.
std::vector<Dependency> edges(const ServiceModel& service) {
  std::vector<Dependency> all = service.depends_on;
  for (const std::string& other : service.lives_in) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const Dependency& d) { return d.service == other; });
    if (!known) all.push_back({other});
  }
  return all;
}

/// The first digits of "sha256:…".
std::string_view short_id(std::string_view id) {
  constexpr std::size_t kDigits = 12;
  if (const auto colon = id.find(':'); colon != std::string_view::npos) id.remove_prefix(colon + 1);
  return id.substr(0, kDigits);
}

bool is_work(ServiceAction action) {
  return action != ServiceAction::kUnchanged && action != ServiceAction::kCompleted;
}

std::vector<std::string> service_names(const StackModel& model) {
  std::vector<std::string> names;
  for (const auto& [name, service] : model.services) names.push_back(name);
  return names;
}

class Planner {
 public:
  Planner(const StackModel& model, const std::vector<parent::ContainerState>& containers,
          const std::map<std::string, std::optional<std::string>>& image_ids, const Background& background)
      : model_(model), image_ids_(image_ids), background_(background) {
    for (const parent::ContainerState& container : containers) containers_[container.service].push_back(&container);
  }

  Result<StackPlan> run(const std::vector<parent::ContainerState>& containers,
                        const std::vector<std::string>& selected) {
    OTTO_TRY(wanted_, wanted_services(model_, selected));
    scope_ = wanted_;
    add_followers();
    OTTO_RETURN_IF_ERROR(sort());
    for (const std::string& name : order_) judge(model_.services.at(name));
    StackPlan plan;
    for (const std::string& name : scope_) {
      if (wanted_.count(name) > 0 || is_work(steps_.at(name).action)) plan.steps.push_back(steps_.at(name));
    }
    plan.waves = waves();
    for (const parent::ContainerState& container : containers) {
      if (model_.services.count(container.service) == 0) plan.orphans.push_back(container);
    }
    return plan;
  }

 private:
  /// Services nobody asked for whose running containers cannot outlive one that was: a sidecar of a named service.
  void add_followers() {
    for (bool grown = true; grown;) {
      grown = false;
      for (const auto& [name, service] : model_.services) {
        if (scope_.count(name) > 0 || !has_live_container(name)) continue;
        const std::vector<Dependency> all = edges(service);
        const bool follows = std::any_of(all.begin(), all.end(), [&, &who = service](const Dependency& dependency) {
          return scope_.count(dependency.service) > 0 && (dependency.restart || lives_in(who, dependency.service));
        });
        if (follows) grown = scope_.insert(name).second;
      }
    }
  }

  /// order_: scope_ with everything after what it stands on.
  Result<void> sort() {
    std::map<std::string, bool> done;  // false: on the path
    std::vector<std::string> path;
    for (const std::string& name : scope_) OTTO_RETURN_IF_ERROR(visit(name, done, path));
    return {};
  }

  Result<void> visit(const std::string& name, std::map<std::string, bool>& done, std::vector<std::string>& path) {
    const auto [state, is_new] = done.emplace(name, false);
    if (!is_new && state->second) return {};
    if (!is_new) {
      std::vector<std::string> cycle(std::find(path.begin(), path.end(), name), path.end());
      cycle.push_back(name);
      return make_error(ErrorCode::kConfig, "services depend on each other: " + text::join(cycle, " → "),
                        "remove one of these dependencies from the compose file");
    }
    path.push_back(name);
    for (const Dependency& dependency : edges(model_.services.at(name))) {
      if (scope_.count(dependency.service) > 0) OTTO_RETURN_IF_ERROR(visit(dependency.service, done, path));
    }
    path.pop_back();
    done[name] = true;
    order_.push_back(name);
    return {};
  }

  void judge(const ServiceModel& service) {
    ServiceStep step{service.name, ServiceAction::kUnchanged, {}, service.replicas};
    if (wanted_.count(service.name) > 0) own_verdict(service, step);
    follow(service, step);
    const bool from_nothing = step.action == ServiceAction::kCreated && containers_of(service.name).empty();
    if (from_nothing || step.action == ServiceAction::kRecreated) fresh_.insert(service.name);
    steps_[service.name] = std::move(step);
  }

  /// What the service's own containers call for.
  void own_verdict(const ServiceModel& service, ServiceStep& step) const {
    const auto set = [&](ServiceAction action, std::string reason) {
      step.action = action;
      step.reason = std::move(reason);
    };
    const auto act = [&](ServiceAction action, ReasonKind kind, std::string subject, std::string reason) {
      step.reasons.push_back({kind, std::move(subject), reason});
      set(action, std::move(reason));
    };
    const auto& containers = containers_of(service.name);
    if (containers.empty()) {
      if (service.replicas > 0) act(ServiceAction::kCreated, ReasonKind::kMissing, service.name, "not created yet");
      return;
    }
    if (outdated(service, step)) return;
    if (containers.size() < service.replicas) {
      return act(ServiceAction::kCreated, ReasonKind::kMissing, service.name,
                 fmt::format("{} of {} containers exist", containers.size(), service.replicas));
    }
    if (containers.size() > service.replicas) {
      return act(ServiceAction::kStarted, ReasonKind::kDefinitionChanged, "scale",
                 fmt::format("{} containers where {} {} wanted", containers.size(), service.replicas,
                             service.replicas == 1 ? "is" : "are"));
    }
    const auto finished = [&](const parent::ContainerState* container) {
      return service.one_shot && container->status == parent::ContainerStatus::kExited && container->exit_code == 0;
    };
    if (std::all_of(containers.begin(), containers.end(), finished)) {
      return set(ServiceAction::kCompleted, "has exited 0");
    }
    for (const parent::ContainerState* container : containers) {
      if (!is_stopped(*container) || finished(container)) continue;
      // A stopped container that lives in another cannot start once that other has been replaced: make it anew.
      const auto action = service.lives_in.empty() ? ServiceAction::kStarted : ServiceAction::kRecreated;
      const bool failed =
          container->status == parent::ContainerStatus::kExited && container->exit_code != 0 && !service.restarts;
      return act(action, ReasonKind::kStopped, service.name,
                 failed ? fmt::format("exited with code {}", container->exit_code)
                 : container->status == parent::ContainerStatus::kCreated ? "was never started"
                                                                          : "was stopped");
    }
    for (const parent::ContainerState* container : containers) {
      if (parent::is_idle(*container))
        return set(ServiceAction::kUnchanged, "is " + std::string(parent::status_name(container->status)));
    }
  }

  /// Whether containers of the service must be replaced; `step` has why then.
  bool outdated(const ServiceModel& service, ServiceStep& step) const {
    const auto image = image_ids_.find(service.name);
    bool foreign = false, redefined = false, other_image = false, dead = false, doomed = false;
    for (const parent::ContainerState* container : containers_of(service.name)) {
      doomed = doomed || container->doomed;
      foreign = foreign || container->service_digest.empty();
      redefined = redefined || container->service_digest != service.digest.hex();
      other_image = other_image || (image != image_ids_.end() && image->second != container->image_id);
      dead = dead || is_dead(*container);
    }
    std::vector<Reason>& reasons = step.reasons;
    if (other_image) reasons.push_back({ReasonKind::kImageChanged, service.image, image_change(service)});
    if (foreign) {
      reasons.push_back({ReasonKind::kDefinitionChanged, "", "not started by otto"});
    } else if (redefined) {
      const auto known = background_.redefined.find(service.name);
      if (known == background_.redefined.end() || known->second.empty()) {
        reasons.push_back({ReasonKind::kDefinitionChanged, "", "which key is not remembered"});
      } else {
        reasons.insert(reasons.end(), known->second.begin(), known->second.end());
      }
    }
    if (doomed) reasons.push_back({ReasonKind::kPutRight, service.name, "its replacement was interrupted"});
    if (dead) reasons.push_back({ReasonKind::kStopped, service.name, "was dead"});
    if (reasons.empty()) return false;
    step.action = ServiceAction::kRecreated;
    step.reason = foreign                    ? "not started by otto"
                  : redefined && other_image ? "image and definition changed"
                  : other_image              ? "image changed"
                  : redefined                ? "its definition changed"
                  : doomed                   ? "its replacement was interrupted"
                                             : "was dead";
    if (redefined && !foreign) step.reason += changed_parts(reasons);
    return true;
  }

  /// What made its image another one; from which id to which, where no more is known.
  std::string image_change(const ServiceModel& service) const {
    const auto known = background_.image_changes.find(service.name);
    if (known != background_.image_changes.end()) return known->second;
    const auto now = image_ids_.find(service.name);
    const auto& containers = containers_of(service.name);
    const auto other = std::ranges::find_if(containers, [&](const auto* c) { return now->second != c->image_id; });
    const std::string& before = (*other)->image_id;
    return now->second ? fmt::format("{} → {}", short_id(before), short_id(*now->second)) : "it is to be built";
  }

  /// ": environment.LEVEL, ports.8080 and 2 more".
  static std::string changed_parts(const std::vector<Reason>& reasons) {
    constexpr std::size_t kMostNamed = 2;
    std::vector<std::string> names;
    for (const Reason& reason : reasons) {
      const bool of_the_whole = reason.kind == ReasonKind::kImageChanged || reason.kind == ReasonKind::kPutRight ||
                                reason.kind == ReasonKind::kStopped;
      if (!of_the_whole && !reason.subject.empty()) names.push_back(reason.subject);
    }
    if (names.empty()) return {};
    const std::size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
    names.resize(names.size() - more);
    return ": " + text::join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
  }

  /// Replaces containers that cannot outlive a replaced one, or are declared to restart with it.
  void follow(const ServiceModel& service, ServiceStep& step) const {
    if (containers_of(service.name).empty() || step.action == ServiceAction::kRecreated) return;
    const bool finished = step.action == ServiceAction::kCompleted;
    for (const Dependency& dependency : edges(service)) {
      const auto other = steps_.find(dependency.service);
      if (other == steps_.end()) continue;
      const bool fresh = fresh_.count(dependency.service) > 0;
      const bool inside = lives_in(service, dependency.service);
      // A started container gets new namespaces too; what still runs in the old ones is cut off.
      const bool moved = other->second.action == ServiceAction::kStarted && has_live_container(service.name);
      const bool follows = inside ? !finished && (fresh || moved)
                                  : dependency.restart && fresh && step.action != ServiceAction::kStarted;
      if (!follows) continue;
      step.action = ServiceAction::kRecreated;
      step.reason = "follows " + dependency.service;
      step.reasons.push_back({ReasonKind::kDependency, dependency.service, follow_detail(inside, fresh)});
      step.follows = dependency.service;
      return;
    }
  }

  static std::string follow_detail(bool inside, bool fresh) {
    if (!inside) return "it is declared to restart with it";
    return fmt::format("it lives in its container, which is {}", fresh ? "replaced" : "started anew");
  }

  /// The fewest waves: one ends only where a condition must hold or the kind of call changes. The order within one call
  /// is Compose's own work, that of sidecars too: it gives them the new container's id (seen with 2.26).
  std::vector<Wave> waves() const {
    std::map<std::string, std::size_t> level;
    std::set<std::string> touched;  // affected, or standing on what is
    std::vector<Wave> all;
    for (const std::string& name : order_) {
      const ServiceModel& service = model_.services.at(name);
      const ServiceAction action = steps_.at(name).action;
      std::size_t mine = 0;
      for (const Dependency& dependency : edges(service)) {
        if (touched.count(dependency.service) == 0) continue;
        touched.insert(name);
        const std::size_t after = is_work(action) && needs_barrier(service, dependency) ? 1 : 0;
        mine = std::max(mine, level[dependency.service] + after);
      }
      level[name] = mine;
      if (!is_work(action)) continue;
      touched.insert(name);
      if (all.size() <= mine) all.resize(mine + 1);
      (action == ServiceAction::kRecreated ? all[mine].recreate : all[mine].start).push_back(name);
      for (const Dependency& dependency : service.depends_on) add_await(dependency, all[mine]);
    }
    for (Wave& wave : all) {
      std::sort(wave.recreate.begin(), wave.recreate.end());
      std::sort(wave.start.begin(), wave.start.end());
    }
    return all;
  }

  bool needs_barrier(const ServiceModel& service, const Dependency& dependency) const {
    const ServiceAction other = steps_.at(dependency.service).action;
    const bool recreates = steps_.at(service.name).action == ServiceAction::kRecreated;
    // Compose has one grace for all that a call stops.
    const bool other_grace = service.stop_grace_s != model_.services.at(dependency.service).stop_grace_s;
    const bool other_call = is_work(other) && (recreates != (other == ServiceAction::kRecreated) || other_grace);
    return dependency.condition != DependencyCondition::kStarted || other_call;
  }

  void add_await(const Dependency& dependency, Wave& wave) const {
    if (dependency.condition == DependencyCondition::kStarted || scope_.count(dependency.service) == 0) return;
    const auto same = std::find_if(wave.awaits.begin(), wave.awaits.end(), [&](const Dependency& known) {
      return known.service == dependency.service && known.condition == dependency.condition;
    });
    if (same != wave.awaits.end()) {
      same->required = same->required || dependency.required;
    } else {
      wave.awaits.push_back({dependency.service, dependency.condition, false, dependency.required});
    }
  }

  const std::vector<const parent::ContainerState*>& containers_of(const std::string& service) const {
    static const std::vector<const parent::ContainerState*> kNone;
    const auto found = containers_.find(service);
    return found == containers_.end() ? kNone : found->second;
  }

  bool has_live_container(const std::string& service) const {
    const auto& all = containers_of(service);
    return std::any_of(all.begin(), all.end(),
                       [](const parent::ContainerState* c) { return !is_stopped(*c) && !is_dead(*c); });
  }

  const StackModel& model_;
  const std::map<std::string, std::optional<std::string>>& image_ids_;
  const Background& background_;
  std::map<std::string, std::vector<const parent::ContainerState*>> containers_;
  std::set<std::string> wanted_, scope_;
  std::vector<std::string> order_;
  std::map<std::string, ServiceStep> steps_;
  std::set<std::string> fresh_;  ///< services whose containers are all new
};

}  // namespace

Result<std::set<std::string>> wanted_services(const StackModel& model, const std::vector<std::string>& selected) {
  std::vector<std::string> open;
  for (const std::string& name : selected) {
    if (!model.services.contains(name)) return unknown_service(name, service_names(model));
    open.push_back(name);
  }
  for (const auto& [name, service] : model.services) {
    if (selected.empty() && service.profiles.empty()) open.push_back(name);
  }
  std::set<std::string> wanted;
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    if (!wanted.insert(name).second) continue;
    for (const Dependency& dependency : edges(model.services.at(name))) {
      const auto found = model.services.find(dependency.service);
      if (found == model.services.end() && dependency.required) {
        return make_error(
            ErrorCode::kConfig,
            fmt::format("service '{}' depends on '{}', which the stack does not have", name, dependency.service),
            "mend its depends_on in the compose file");
      }
      const bool optional = found == model.services.end() || (!dependency.required && !found->second.profiles.empty());
      if (!optional) open.push_back(dependency.service);
    }
  }
  return wanted;
}

Result<StackPlan> plan_stack(const StackModel& model, const std::vector<parent::ContainerState>& containers,
                             const std::map<std::string, std::optional<std::string>>& image_ids,
                             const std::vector<std::string>& selected, const Background& background) {
  return Planner(model, containers, image_ids, background).run(containers, selected);
}

const ServiceStep* StackPlan::step_of(std::string_view service) const {
  const auto found = std::ranges::find(steps, service, &ServiceStep::service);
  return found == steps.end() ? nullptr : &*found;
}

std::optional<std::size_t> StackPlan::wave_of(std::string_view service) const {
  for (std::size_t i = 0; i < waves.size(); ++i) {
    for (const auto* services : {&waves[i].recreate, &waves[i].start}) {
      if (std::ranges::find(*services, service) != services->end()) return i;
    }
  }
  return std::nullopt;
}

bool covers_all_doubts(const StackPlan& plan, const std::vector<parent::ContainerState>& containers) {
  return std::ranges::none_of(containers, [&](const parent::ContainerState& container) {
    return container.doomed && plan.step_of(container.service) == nullptr;
  });
}

bool some_have_ended(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                     const std::set<std::string>& one_shots) {
  return std::ranges::any_of(containers, [&](const parent::ContainerState& container) {
    const bool done = container.exit_code == 0 && one_shots.contains(container.service);
    const bool over = container.status == parent::ContainerStatus::kExited ||
                      container.status == parent::ContainerStatus::kRestarting;
    return over && !done && plan.wave_of(container.service);
  });
}

std::vector<std::string> doomed_by(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                                   const std::vector<std::string>& services) {
  std::set<std::string> begun(services.begin(), services.end());
  for (bool grown = true; grown;) {
    grown = false;
    for (const ServiceStep& step : plan.steps) {
      if (begun.contains(step.follows)) grown = begun.insert(step.service).second || grown;
    }
  }
  const auto ends = [&](const parent::ContainerState& container) {
    const ServiceStep* step = plan.step_of(container.service);
    if (step == nullptr || !begun.contains(container.service)) return false;
    const auto there = std::ranges::count(containers, container.service, &parent::ContainerState::service);
    const bool scales_down = step->action == ServiceAction::kStarted && there > std::ptrdiff_t{step->replicas};
    return step->action == ServiceAction::kRecreated || scales_down;
  };
  std::vector<std::string> ids;
  for (const parent::ContainerState& container : containers) {
    const bool may_be_told = !is_stopped(container) && ends(container);
    if (container.doomed || may_be_told) ids.push_back(container.id);
  }
  return ids;
}

std::size_t work_of(const StackPlan& plan) {
  return static_cast<std::size_t>(
      std::ranges::count_if(plan.steps, [](const ServiceStep& step) { return is_work(step.action); }));
}

parent::Started started_by(const StackPlan& plan, const std::vector<parent::ContainerState>& containers,
                           std::set<std::string> one_shots, std::chrono::milliseconds since) {
  parent::Started started;
  started.one_shots = std::move(one_shots);
  started.since = since;
  for (const Wave& wave : plan.waves) {
    started.services.insert(started.services.end(), wave.recreate.begin(), wave.recreate.end());
    started.services.insert(started.services.end(), wave.start.begin(), wave.start.end());
  }
  for (const parent::ContainerState& container : containers) {
    const ServiceStep* step = plan.step_of(container.service);
    const bool is_replaced = step != nullptr && step->action == ServiceAction::kRecreated;
    if (is_replaced) started.replaced.push_back(container.id);
  }
  for (const std::string& service : started.services) {
    const ServiceStep* step = plan.step_of(service);
    const bool all = step->action == ServiceAction::kRecreated || step->action == ServiceAction::kCreated;
    started.starts += all ? step->replicas : 1;
  }
  return started;
}

Error unknown_service(std::string_view service, const std::vector<std::string>& names) {
  return make_error(ErrorCode::kUnknownName,
                    "unknown service '" + text::printable(service) + "'" + text::did_you_mean(service, names),
                    names.empty() ? "the stack has no services" : "the services are: " + text::join(names, ", "));
}

}  // namespace otto::stack

namespace otto::docker {

std::string_view action_name(ServiceAction action) {
  switch (action) {
    case ServiceAction::kCreated: return "created";
    case ServiceAction::kRecreated: return "recreated";
    case ServiceAction::kStarted: return "started";
    case ServiceAction::kUnchanged: return "unchanged";
    case ServiceAction::kCompleted: return "completed";
  }
  panic("unknown service action", __FILE__, __LINE__);
}

}  // namespace otto::docker
