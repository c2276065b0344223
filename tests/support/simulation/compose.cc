#include "tests/support/simulation/compose.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/simulation/compose_files.h"

namespace otto::simulation {

namespace {

using nlohmann::json;
using parent::ContainerStatus;

/// What a job of Compose comes to.
struct Outcome {
  bool lost_turn = false;
  std::optional<Error> error;
};
using Out = std::shared_ptr<Outcome>;

Container container_of(World& world, const std::string& project, const ServiceDefinition& service, unsigned number) {
  Container made;
  made.project = project;
  made.state.service = service.name;
  made.state.number = number;
  made.state.name = fmt::format("{}{}{}{}{}", project, world.compose_v1 ? "_" : "-", service.name,
                                world.compose_v1 ? "_" : "-", number);
  made.state.image = service.image;
  made.state.service_digest = service.digest;
  made.state.account = service.account;
  made.ends_with = service.ends_with;
  made.has_check = service.has_check;
  made.definition = service.definition;
  return made;
}

/// The container of another service whose network this one joins.
std::string neighbour(World& world, const std::string& project, const ServiceDefinition& service) {
  if (service.lives_in.empty()) return {};
  const auto others = world.containers_of(project, service.lives_in);
  return others.empty() ? "missing" : others.front()->state.id;
}

/// In the order of their numbers, the older first.
std::vector<std::string> existing(World& world, const std::string& project, const std::string& service) {
  std::vector<Container*> all = world.containers_of(project, service);
  std::ranges::stable_sort(all, {}, [](const Container* one) { return one->state.number; });
  std::vector<std::string> ids;
  for (const Container* one : all) ids.push_back(one->state.id);
  return ids;
}

bool runs(World& world, const std::string& id) {
  const Container* one = world.container(id);
  return one != nullptr && one->state.status == ContainerStatus::kRunning;
}

/// SIGTERM, and the wait for its effect, up to a grace.
class Stopping {
 public:
  Stopping(World& world, std::string id) : world_(world), id_(std::move(id)) { world_.terminate(id_); }
  bool goes_on() {
    constexpr int kGrace = 4;
    if (moments_++ < kGrace && runs(world_, id_)) return true;
    world_.kill(id_, 137);
    return false;
  }

 private:
  World& world_;
  const std::string id_;
  int moments_ = 0;
};

/// The part of a job in the turn `token` of its project.
class Work {
 public:
  /// False: the turn is lost.
  bool begin(World& world, const std::string& project, const std::string& token,
             const std::vector<std::string>& doomed) {
    hold_ = world.try_lock("work " + project, false, Guard::kWorkLock);
    if (!hold_ && world.has(Guard::kTurnIsChecked)) return false;
    if (!has_turn(world, {project, token})) return false;
    Notes& notes = world.notes[project];
    notes.doomed = {doomed.begin(), doomed.end()};
    return true;
  }

 private:
  World::Hold hold_;
};

Job up_job(World& world, std::string project, std::string token, parent::ComposeStack stack, parent::UpCall call,
           std::shared_ptr<const bool> here, Out out) {
  const auto tell = [&call, &here](const std::string& container, bool stopping) {
    if (call.on_stop && *here) call.on_stop(container, stopping);
  };
  Work work;
  if (!work.begin(world, project, token, call.doomed)) {
    out->lost_turn = true;
    co_return;
  }
  co_await Step{};
  const auto config = staged_config(world, stack);
  if (!config.ok()) {
    out->error = config.error();
    co_return;
  }
  const auto known = definitions(*config, call.override_yaml, call.services);
  if (!known.ok()) {
    out->error = known.error();
    co_return;
  }
  const std::vector<ServiceDefinition>& services = *known;
  const bool recreate = call.mode == parent::UpCall::Mode::kRecreate;
  for (const ServiceDefinition& service : services) {
    std::vector<std::string> ids = existing(world, project, service.name);
    while (ids.size() > service.replicas) {
      Stopping stopping(world, ids.back());
      while (stopping.goes_on()) co_await Step{};
      if (const Container* surplus = world.container(ids.back())) world.let_go(*surplus);
      world.remove(ids.back());
      ids.pop_back();
      co_await Step{};
    }
    for (std::size_t i = 0; recreate && i < ids.size(); ++i) {
      const std::string old = ids[i];
      const Container* before = world.container(old);
      if (before == nullptr) continue;
      const std::string plain = before->state.name;
      const std::string temporary = old.substr(0, 12) + "_" + plain;
      Container fresh = container_of(world, project, service, before->state.number);
      fresh.lives_in = neighbour(world, project, service);
      fresh.volume = before->volume;
      if (world.compose_v1) {
        Stopping stopping(world, old);
        tell(plain, true);
        while (stopping.goes_on()) co_await Step{};
        co_await Step{};
        if (auto renamed = world.rename(old, temporary); !renamed.ok()) {
          out->error = renamed.error();
          co_return;
        }
        co_await Step{};
        fresh.state.name = plain;
        const auto made = world.create(std::move(fresh));
        if (!made.ok()) {
          out->error = made.error();
          co_return;
        }
        co_await Step{};
        if (auto started = world.start(*made); !started.ok()) {
          out->error = started.error();
          co_return;
        }
        co_await Step{};
        world.remove(old);
        tell(plain, false);
        co_await Step{};
        continue;
      }
      fresh.state.name = temporary;
      const auto made = world.create(std::move(fresh));
      if (!made.ok()) {
        out->error = made.error();
        co_return;
      }
      co_await Step{};
      Stopping stopping(world, old);
      tell(plain, true);
      while (stopping.goes_on()) co_await Step{};
      co_await Step{};
      world.remove(old);
      co_await Step{};
      if (auto renamed = world.rename(*made, plain); !renamed.ok()) {
        out->error = renamed.error();
        co_return;
      }
      tell(plain, false);
      co_await Step{};
    }
    std::set<unsigned> numbers;
    for (const Container* one : world.containers_of(project, service.name)) numbers.insert(one->state.number);
    for (unsigned number = 1; numbers.size() < service.replicas; ++number) {
      if (!numbers.insert(number).second) continue;
      Container fresh = container_of(world, project, service, number);
      fresh.lives_in = neighbour(world, project, service);
      if (const auto made = world.create(std::move(fresh)); !made.ok()) {
        out->error = made.error();
        co_return;
      }
      co_await Step{};
    }
  }
  for (const ServiceDefinition& service : services) {
    for (const std::string& id : existing(world, project, service.name)) {
      if (runs(world, id)) continue;
      if (auto started = world.start(id); !started.ok()) {
        out->error = started.error();
        co_return;
      }
      co_await Step{};
    }
  }
}

Job put_right_job(World& world, std::string project, std::string token, std::vector<parent::PutRight> steps,
                  std::vector<std::string> doomed, Out out) {
  Work work;
  if (!work.begin(world, project, token, doomed)) {
    out->lost_turn = true;
    co_return;
  }
  co_await Step{};
  if (!world.has(Guard::kPutRight)) co_return;
  for (const parent::PutRight& step : steps) {
    if (step.act == parent::PutRight::Act::kRemove || !world.has(Guard::kNothingIsThrownAway)) {
      world.remove(step.container_id);
    } else if (auto renamed = world.rename(step.container_id, step.plain_name); !renamed.ok()) {
      out->error = renamed.error();
      co_return;
    }
    co_await Step{};
  }
}

Job remove_job(World& world, std::string project, std::string token, std::vector<std::string> ids,
               std::vector<std::string> doomed, bool told, Out out) {
  Work work;
  if (!work.begin(world, project, token, doomed)) {
    out->lost_turn = true;
    co_return;
  }
  co_await Step{};
  for (const std::string& id : ids) {
    if (told) {
      Stopping stopping(world, id);
      while (stopping.goes_on()) co_await Step{};
    }
    if (const Container* one = world.container(id)) world.let_go(*one);
    world.remove(id);
    co_await Step{};
  }
}

class SimulatedCompose final : public parent::Compose {
 public:
  SimulatedCompose(Client& client, std::string project, std::stop_token stop)
      : client_(client), project_(std::move(project)), stop_(std::move(stop)) {}

  void in_turn(std::string token) override { token_ = std::move(token); }

  Result<std::string> config(const parent::ComposeStack& stack) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    if (!has_turn(client_.world, {project_, token_})) return turn_lost();
    client_.world.say(client_.name + " asks what the stack is");
    OTTO_TRY(const json config, staged_config(client_.world, stack));
    return config.dump();
  }
  Result<std::string> config_of(const parent::ComposeStack& stack, const parent::ScratchFiles& files) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    Tree tree;
    for (const auto& [path, text] : files.files) tree[path].content = text;
    OTTO_TRY(const json config, simulation::config_of(stack, tree));
    return config.dump();
  }

  Result<bool> up(const parent::ComposeStack& stack, const parent::UpCall& call) override {
    const auto out = std::make_shared<Outcome>();
    OTTO_RETURN_IF_ERROR(change(up_job(client_.world, project_, token_, stack, call, client_.here(), out), out));
    return false;
  }

  Result<std::vector<parent::EarlyExit>> early_exits(const parent::Started& started,
                                                     const std::function<void()>& meanwhile) override {
    meanwhile();
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    std::vector<parent::EarlyExit> exits;
    for (const std::string& service : started.services) {
      for (const Container* one : client_.world.containers_of(project_, service)) {
        if (one->state.status != ContainerStatus::kExited) continue;
        if (one->state.exit_code == 0 && started.one_shots.contains(service)) continue;
        exits.push_back({service, one->state.number, one->state.exit_code, false, ""});
      }
    }
    return exits;
  }

  Result<void> await(const std::vector<parent::Dependency>& conditions) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    for (const parent::Dependency& condition : conditions) {
      if (condition.condition == parent::DependencyCondition::kStarted) continue;
      const auto met = await_one(condition.service, condition.condition == parent::DependencyCondition::kHealthy
                                                        ? Awaited::kHealthy
                                                        : Awaited::kCompleted);
      if (!met.ok() && (condition.required || met.error().code != ErrorCode::kComposeFailed)) return met.error();
    }
    return {};
  }
  Result<void> await_up(const std::vector<std::string>& services, const std::set<std::string>& one_shots) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    for (const std::string& service : services) {
      OTTO_RETURN_IF_ERROR(await_one(service, one_shots.contains(service) ? Awaited::kOver : Awaited::kUp));
    }
    return {};
  }

  Result<void> put_right(const std::vector<parent::PutRight>& steps, const std::vector<std::string>& doomed) override {
    const auto out = std::make_shared<Outcome>();
    return change(put_right_job(client_.world, project_, token_, steps, doomed, out), out);
  }
  Result<void> down(unsigned, bool, const std::vector<std::string>& doomed) override {
    const auto out = std::make_shared<Outcome>();
    std::vector<std::string> ids;
    for (const Container* one : client_.world.containers_of(project_)) ids.push_back(one->state.id);
    return change(remove_job(client_.world, project_, token_, ids, doomed, true, out), out);
  }
  Result<void> remove_networks() override {
    const auto out = std::make_shared<Outcome>();
    return change(remove_job(client_.world, project_, token_, {}, {}, false, out), out);
  }
  Result<void> remove_containers(const std::vector<std::string>& ids, const std::vector<std::string>& doomed) override {
    const auto out = std::make_shared<Outcome>();
    return change(remove_job(client_.world, project_, token_, ids, doomed, false, out), out);
  }

 private:
  enum class Awaited { kHealthy, kCompleted, kUp, kOver };

  Result<void> change(Job job, const Out& out) {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.run(std::move(job), stop_));
    if (out->lost_turn) return turn_lost();
    if (out->error) return *out->error;
    return {};
  }

  [[nodiscard]] Error turn_lost() const {
    return make_error(ErrorCode::kInputsChanged, fmt::format("another otto took project '{}' over", project_));
  }

  /// One look; nullopt: not yet.
  std::optional<bool> holds(const std::string& service, Awaited awaited) const {
    const auto all = client_.world.containers_of(project_, service);
    if (all.empty()) return false;
    for (const Container* one : all) {
      const bool over = one->state.status == ContainerStatus::kExited;
      const bool running = one->state.status == ContainerStatus::kRunning;
      if (awaited == Awaited::kCompleted || awaited == Awaited::kOver) {
        if (over && one->state.exit_code == 0) continue;
        if (awaited == Awaited::kOver && running && !one->ends_with) continue;
        if (running) return std::nullopt;
        return false;
      }
      if (!running) return false;
      if (one->has_check && one->state.health != parent::Health::kHealthy) return std::nullopt;
    }
    return true;
  }

  Result<void> await_one(const std::string& service, Awaited awaited) {
    for (;;) {
      OTTO_RETURN_IF_ERROR(client_.step(nullptr));
      const auto held = holds(service, awaited);
      if (held && *held) return {};
      if (held) return compose_error(fmt::format("service '{}' is not what is awaited", service));
    }
  }

  Client& client_;
  const std::string project_;
  const std::stop_token stop_;
  std::string token_;
};

}  // namespace

std::unique_ptr<parent::Compose> make_compose(Client& client, const std::string& project, const std::stop_token& stop) {
  return std::make_unique<SimulatedCompose>(client, project, stop);
}

}  // namespace otto::simulation
