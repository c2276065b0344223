#include "tests/support/simulation/parent.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/parent/parent_session.h"
#include "tests/support/simulation/build_jobs.h"
#include "tests/support/simulation/compose.h"

namespace otto::simulation {

namespace {

// --- locks ---

struct Holding {
  bool held = false, settled = false, over = false;
  std::string generation;
};

Job hold_job(World& world, std::string project, std::string token,
             std::function<void(const parent::LockHolder&)> waiting, Here here, std::shared_ptr<Holding> state) {
  Acquire hold(world, "project " + project, true, Guard::kProjectLock, here, waiting);
  while (!hold.taken()) co_await Step{};
  co_await Step{};
  {
    Acquire work(world, "work " + project, true, Guard::kWorkLock, here, waiting);
    while (!work.taken()) co_await Step{};
  }
  Notes& notes = world.notes[project];
  state->generation = notes.generation;
  notes.generation = "open " + token;
  co_await Step{};
  state->held = true;
  while (!state->over) co_await Step{};
  if (state->settled) notes.doomed.clear();
  if (notes.generation == "open " + token) notes.generation = token;
}

class SimulatedLock final : public parent::ProjectLock {
 public:
  SimulatedLock(Client& client, std::string project)
      : client_(client), project_(std::move(project)), token_(client.world.fresh_id("turn").substr(0, 20)) {}
  ~SimulatedLock() override { release(); }

  Result<std::string> take(std::function<void(const parent::LockHolder&)> waiting) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    client_.holds = &job_;
    job_.emplace(hold_job(client_.world, project_, token_, std::move(waiting), client_.here(), state_));
    while (!state_->held) {
      if (auto moved = client_.step(&*job_); !moved.ok()) {
        job_.reset();
        return moved.error();
      }
      job_->resume();
    }
    client_.world.say(client_.name + " has the turn");
    return client_.world.has(Guard::kReprobe) ? state_->generation : client_.generation_told;
  }
  [[nodiscard]] bool held() const override { return job_ && state_->held && !client_.lost(); }
  [[nodiscard]] const std::string& token() const override { return token_; }
  void settle() override { state_->settled = true; }
  void release() override {
    client_.holds = nullptr;
    if (!job_) return;
    if (!state_->held) return job_.reset();  // it waits for others, who may never come
    if (client_.lost()) {
      client_.world.abandon(std::move(*job_), client_.world.choose(8));
    } else {
      state_->over = true;
      while (job_->resume()) {
      }
      client_.world.say(client_.name + " gives the turn back");
    }
    job_.reset();
  }

 private:
  Client& client_;
  const std::string project_, token_;
  std::shared_ptr<Holding> state_ = std::make_shared<Holding>();
  std::optional<Job> job_;
};

// --- the parent ---

class SimulatedParent final : public parent::Parent {
 public:
  SimulatedParent(Client& client, std::string host_id) : client_(client), host_id_(std::move(host_id)) {}

  [[nodiscard]] const std::string& host_id() const override { return host_id_; }

  Result<parent::Probe> probe(const parent::ProbeRequest& request, const std::stop_token&) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    const World& world = client_.world;
    parent::Probe probe;
    for (const auto& [tag, id] : world.tags) {
      const bool wanted = std::ranges::find(request.images, tag) != request.images.end() ||
                          std::ranges::any_of(request.repositories, [&](const std::string& repository) {
                            return tag.starts_with(repository + ":");
                          });
      if (wanted) probe.image_ids[tag] = id;
    }
    if (request.want_facts) probe.facts = facts_of(world);
    if (!request.compose_project.empty()) probe_project(request.compose_project, probe);
    return probe;
  }

  Result<parent::StageState> stage(const parent::ParentFacts&, const parent::StageRequest& request) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    auto order = std::make_shared<StageOrder>(StageOrder{request, *request.wanted, client_.read_local, client_.here()});
    auto out = std::make_shared<Staged>();
    OTTO_RETURN_IF_ERROR(client_.run(stage_job(client_.world, order, out)));
    if (out->error) return *out->error;
    return out->state;
  }

  [[nodiscard]] Result<void> check_builder(const parent::ParentFacts&, const parent::BuildRequest&) const override {
    return {};
  }
  Result<parent::BuiltImage> build(const parent::ParentFacts&, const parent::BuildRequest& request) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    auto out = std::make_shared<Built>();
    OTTO_RETURN_IF_ERROR(client_.run(build_job(client_.world, request, *request.fingerprint, client_.here(), out)));
    if (out->error) return *out->error;
    return out->image;
  }
  Result<void> tag(const std::string& reference, const std::string& tag, const std::stop_token&) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    const Image* image = client_.world.image_of(reference);
    if (image == nullptr) return make_error(ErrorCode::kRemoteFailed, "No such image: " + reference);
    std::string& named = client_.world.tags[tag];
    client_.world.changes += named == image->id ? 0 : 1;
    named = image->id;
    return {};
  }
  Result<std::map<std::string, graph::BuiltFrom>> records(const parent::ParentFacts&,
                                                          const std::vector<parent::RecordQuery>& queries,
                                                          const std::stop_token&) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    std::map<std::string, graph::BuiltFrom> found;
    for (const parent::RecordQuery& query : queries) {
      const auto record = client_.world.records.find(query.name);
      if (record != client_.world.records.end()) found.emplace(*record);
    }
    return found;
  }

  Result<parent::PruneSurvey> survey(const parent::ParentFacts&, const parent::PruneQuery& query,
                                     const std::stop_token&) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    OTTO_RETURN_IF_ERROR(client_.step(nullptr));
    World& world = client_.world;
    parent::PruneSurvey survey;
    for (const auto& one : world.containers) {
      survey.users.emplace(one->state.image_id, one->state.name);
      survey.users.emplace(one->state.image, one->state.name);
    }
    for (const std::string& id : query.ids) survey.images[id] = 1;
    for (const auto& [key, stage] : world.stages) {
      if (key.starts_with(query.project + "-")) survey.stages[key] = stage.files.size();
    }
    for (const std::string& record : query.records) survey.records[record] = 1;
    return survey;
  }
  Result<std::map<std::string, std::string>> remove(const parent::ParentFacts&,
                                                    const std::vector<parent::Removal>& what,
                                                    const std::stop_token&) override {
    OTTO_RETURN_IF_ERROR(client_.begin());
    World& world = client_.world;
    std::map<std::string, std::string> stayed;
    for (const parent::Removal& removal : what) {
      OTTO_RETURN_IF_ERROR(client_.step(nullptr));
      if (removal.kind == parent::Removal::Kind::kTag) {
        const auto tag = world.tags.find(removal.name);
        const bool used = tag != world.tags.end() && std::ranges::any_of(world.containers, [&](const auto& one) {
                            return one->state.image_id == tag->second;
                          });
        if (used || !world.try_lock(image_lock(removal.name), true, Guard::kImageLock)) {
          stayed[removal.name] = "it is used";
        } else {
          world.tags.erase(removal.name);
          ++world.changes;
        }
      } else if (removal.kind == parent::Removal::Kind::kStage) {
        if (world.try_lock("stage " + removal.name, true, Guard::kStageLock)) {
          world.stages[removal.name] = {};
        } else {
          stayed[removal.name] = "it is used";
        }
      } else {
        world.records.erase(removal.name);
      }
    }
    return stayed;
  }

  std::unique_ptr<parent::ProjectLock> lock(const parent::ParentFacts&, const std::string& project,
                                            const std::stop_token&) override {
    return std::make_unique<SimulatedLock>(client_, project);
  }
  std::unique_ptr<parent::Compose> compose(const parent::ParentFacts&, const std::string& project,
                                           const std::stop_token& stop) override {
    return make_compose(client_, project, stop);
  }

 private:
  void probe_project(const std::string& project, parent::Probe& probe) const {
    World& world = client_.world;
    const auto notes = world.notes.find(project);
    if (notes != world.notes.end()) probe.generation = notes->second.generation;
    if (!world.has(Guard::kReprobe) && parent::is_open(probe.generation)) probe.generation = "closed";
    client_.generation_told = probe.generation;
    for (const Container* one : world.containers_of(project)) {
      probe.containers.push_back(one->state);
      const bool noted = notes != world.notes.end() && notes->second.doomed.contains(one->state.id);
      probe.containers.back().doomed = noted && world.has(Guard::kDoomedNote);
    }
    std::ranges::stable_sort(probe.containers, [](const auto& a, const auto& b) {
      return std::tie(a.service, a.number) < std::tie(b.service, b.number);
    });
    const auto stage = world.stages.find(parent::stack_stage_key(project));
    if (stage == world.stages.end() || stage->second.stamp.empty()) return;
    probe.stack_stamp = stage->second.stamp;
    probe.stack_tree = stage->second.tree;
  }

  Client& client_;
  const std::string host_id_;
};

}  // namespace

Result<void> Client::begin() {
  if (lost_) return make_error(ErrorCode::kConnectionLost, "the connection was lost");
  if (calls_++ != fault_.at) return {};
  if (fault_.kind == Fault::Kind::kRefused) return make_error(ErrorCode::kRemoteFailed, "the parent does not answer");
  if (fault_.kind != Fault::Kind::kSuspended) return {};
  world.say(name + " stands still");
  if (holds != nullptr) holds->reset();
  for (unsigned moments = 20 + world.choose(100); moments > 0; --moments) OTTO_RETURN_IF_ERROR(step(nullptr));
  return {};
}

Result<void> Client::step(Job* job) {
  if (killed_ && std::this_thread::get_id() == thread_) throw Killed{};
  if (lost_) return make_error(ErrorCode::kConnectionLost, "the connection was lost");
  world.pass(actor_);
  world.pass_time();
  const bool goes = fault_.kind == Fault::Kind::kKilled || fault_.kind == Fault::Kind::kCut;
  if (steps_++ != fault_.at || !goes) return {};
  lost_ = true;
  *here_ = false;
  world.say(name + (fault_.kind == Fault::Kind::kKilled ? " is killed" : " loses its connection"));
  if (job != nullptr) world.abandon(std::move(*job), world.choose(8));
  killed_ = fault_.kind == Fault::Kind::kKilled;
  // Of a thread that asks early its asker hears at its next step.
  if (killed_ && std::this_thread::get_id() == thread_) throw Killed{};
  return make_error(ErrorCode::kConnectionLost, "the connection was lost");
}

Result<void> Client::run(Job job, const std::stop_token& stop) {
  do {
    OTTO_RETURN_IF_ERROR(step(&job));
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  } while (job.resume());
  return {};
}

bool has_turn(const World& world, const parent::TurnOf& turn) {
  const auto notes = world.notes.find(turn.project);
  const bool held = notes != world.notes.end() && notes->second.generation == "open " + turn.token;
  return held || !world.has(Guard::kTurnIsChecked);
}

parent::ParentFacts facts_of(const World& world) {
  parent::ParentFacts facts;
  facts.stage_root = kStages;
  facts.engine_version = "26.1.5";
  facts.has_buildx = true;
  facts.compose_version = world.compose_v1 ? "1.29.2" : "2.26.1";
  facts.account = "sim";
  facts.lock_root = "/var/tmp/otto-locks-1/engine-1";
  return facts;
}

std::unique_ptr<parent::Parent> make_parent(Client& client, const std::string& host_id) {
  return std::make_unique<SimulatedParent>(client, host_id);
}

}  // namespace otto::simulation
