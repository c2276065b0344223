// The rules of "Pinned compose": what is affected, what follows, what is finished, and in which waves.
#include "engine/stack/stack_plan.h"

#include <gtest/gtest.h>

#include "graph/base/text.h"

namespace otto::stack {
namespace {

/// A stack whose containers all run what the model says; tests then disturb it.
class StackPlanTest : public ::testing::Test {
 protected:
  ServiceModel& service(const std::string& name, std::vector<Dependency> depends_on = {},
                        std::vector<std::string> lives_in = {}) {
    ServiceModel& made = model_.services[name];
    made.name = name;
    made.image = "veggies-" + name;
    made.digest = graph::sha256(name);
    made.depends_on = std::move(depends_on);
    made.lives_in = std::move(lives_in);
    made.restarts = true;
    image_ids_[name] = "sha256:" + name;
    return made;
  }

  ServiceModel& one_shot(const std::string& name, std::vector<Dependency> depends_on = {}) {
    ServiceModel& made = service(name, std::move(depends_on));
    made.restarts = false;
    made.one_shot = true;
    return made;
  }

  parent::ContainerState& container(const std::string& name, const std::string& status = "running", int exit_code = 0) {
    parent::ContainerState state;
    state.service = name;
    state.number = 1 + static_cast<unsigned>(containers_.size());
    state.id = name + "-id" + std::to_string(state.number);
    state.image_id = "sha256:" + name;
    state.service_digest = graph::sha256(name).hex();
    state.status = parent::parse_status(status);
    state.exit_code = exit_code;
    containers_.push_back(state);
    return containers_.back();
  }

  parent::ContainerState& container_of(const std::string& name) {
    for (parent::ContainerState& state : containers_) {
      if (state.service == name) return state;
    }
    throw std::out_of_range(name);
  }

  /// The stack of the example, all up: api on db, worker and sidecar on api, a finished one-shot.
  void example() {
    service("db").has_healthcheck = true;
    one_shot("migrate", {{"db", DependencyCondition::kHealthy}});
    service("api", {{"db", DependencyCondition::kHealthy}, {"migrate", DependencyCondition::kCompleted}});
    service("worker", {{"api"}});
    service("sidecar", {{"api", DependencyCondition::kStarted, true}}, {"api"});
    for (const char* name : {"db", "api", "worker", "sidecar"}) container(name);
    container("migrate", "exited", 0);
  }

  std::string steps(const std::vector<std::string>& selected = {}) {
    auto plan = plan_stack(model_, containers_, image_ids_, selected);
    if (!plan) return "error: " + plan.error().message;
    std::string all;
    for (const ServiceStep& step : plan->steps) {
      all += step.service + " " + std::string(action_name(step.action)) +
             (step.reason.empty() ? "" : " (" + step.reason + ")") + "\n";
      const bool work = step.action != ServiceAction::kUnchanged && step.action != ServiceAction::kCompleted;
      EXPECT_EQ(step.reasons.empty(), !work) << step.service;
    }
    return all;
  }

  /// "api: image-changed veggies-api (…)", a line a reason.
  std::string reasons() {
    auto plan = plan_stack(model_, containers_, image_ids_, {}, background_);
    if (!plan) return "error: " + plan.error().message;
    std::string all;
    for (const ServiceStep& step : plan->steps) {
      for (const graph::Reason& reason : step.reasons) {
        all += step.service + ": " + std::string(graph::reason_name(reason.kind)) + " " + reason.subject +
               (reason.detail.empty() ? "" : " (" + reason.detail + ")") + "\n";
      }
    }
    return all;
  }

  /// "[db healthy] recreate api | start worker; …"
  std::string waves(const std::vector<std::string>& selected = {}) {
    auto plan = plan_stack(model_, containers_, image_ids_, selected);
    if (!plan) return "error: " + plan.error().message;
    std::string all;
    for (const Wave& wave : plan->waves) {
      if (!all.empty()) all += "; ";
      for (const Dependency& condition : wave.awaits) {
        all += "[" + condition.service +
               (condition.condition == DependencyCondition::kHealthy ? " healthy" : " completed") +
               (condition.required ? "] " : "?] ");
      }
      if (!wave.recreate.empty()) all += "recreate " + text::join(wave.recreate, ",");
      if (!wave.recreate.empty() && !wave.start.empty()) all += " | ";
      if (!wave.start.empty()) all += "start " + text::join(wave.start, ",");
    }
    return all;
  }

  StackModel model_;
  std::vector<parent::ContainerState> containers_;
  std::map<std::string, std::optional<std::string>> image_ids_;
  Background background_;
};

TEST_F(StackPlanTest, NothingChangedNothingDone) {
  example();
  EXPECT_EQ(steps(),
            "api unchanged\ndb unchanged\nmigrate completed (has exited 0)\nsidecar unchanged\nworker unchanged\n");
  EXPECT_EQ(waves(), "");
}

TEST_F(StackPlanTest, ReasonsSayWhatChanged) {
  example();
  container_of("db").status = parent::ContainerStatus::kExited;
  container_of("worker").service_digest = graph::sha256("before").hex();
  image_ids_["api"] = "sha256:0123456789abcdef";
  EXPECT_EQ(reasons(),
            "api: image-changed veggies-api (api → 0123456789ab)\n"
            "db: stopped db (was stopped)\n"
            "sidecar: dependency api (it lives in its container, which is replaced)\n"
            "worker: definition-changed  (which key is not remembered)\n");
  background_.image_changes["api"] = "base → api: file-changed app.py";
  background_.redefined["worker"] = {{graph::ReasonKind::kSecretChanged, "key", "changed"},
                                     {graph::ReasonKind::kDefinitionChanged, "environment.A", "changed"},
                                     {graph::ReasonKind::kDefinitionChanged, "environment.B", "added"}};
  EXPECT_EQ(reasons(),
            "api: image-changed veggies-api (base → api: file-changed app.py)\n"
            "db: stopped db (was stopped)\n"
            "sidecar: dependency api (it lives in its container, which is replaced)\n"
            "worker: secret-changed key (changed)\nworker: definition-changed environment.A (changed)\n"
            "worker: definition-changed environment.B (added)\n");
  EXPECT_NE(steps().find("worker recreated (its definition changed)"), std::string::npos) << "nothing is known of it";
}

TEST_F(StackPlanTest, AnInterruptedReplacementAndAMissingContainerAreReasons) {
  example();
  container_of("api").doomed = true;
  model_.services["worker"].replicas = 2;
  std::erase_if(containers_, [](const auto& container) { return container.service == "db"; });
  EXPECT_EQ(reasons(),
            "api: put-right api (its replacement was interrupted)\n"
            "db: missing db (not created yet)\n"
            "sidecar: dependency api (it lives in its container, which is replaced)\n"
            "worker: missing worker (1 of 2 containers exist)\n");
}

TEST_F(StackPlanTest, FirstUpCreatesInWaves) {
  example();
  containers_.clear();
  EXPECT_EQ(steps(),
            "api created (not created yet)\ndb created (not created yet)\nmigrate created (not created yet)\n"
            "sidecar created (not created yet)\nworker created (not created yet)\n");
  EXPECT_EQ(waves(), "start db; [db healthy] start migrate; [db healthy] [migrate completed] start api,sidecar,worker");
}

TEST_F(StackPlanTest, ANewImageRecreatesItsServiceAndWhatLivesInIt) {
  example();
  image_ids_["api"] = "sha256:new";
  EXPECT_EQ(steps(),
            "api recreated (image changed)\ndb unchanged\nmigrate completed (has exited 0)\n"
            "sidecar recreated (follows api)\nworker unchanged\n");
  EXPECT_EQ(waves(), "[db healthy] [migrate completed] recreate api,sidecar");
}

TEST_F(StackPlanTest, ANewTagWithTheSameImageIdRecreatesNothing) {
  example();
  container_of("api").image = "veggies-api:old";
  EXPECT_EQ(waves(), "");
}

TEST_F(StackPlanTest, AnImageThatIsNotThereIsNoReason) {
  example();
  image_ids_.erase("api");
  EXPECT_EQ(waves(), "");
}

TEST_F(StackPlanTest, DefinitionsCount) {
  example();
  model_.services["worker"].digest = graph::sha256("edited");
  EXPECT_EQ(waves(), "recreate worker");
  EXPECT_NE(steps().find("worker recreated (its definition changed)"), std::string::npos);
  image_ids_["worker"] = "sha256:new";
  EXPECT_NE(steps().find("worker recreated (image and definition changed)"), std::string::npos);
  container_of("worker").service_digest.clear();
  EXPECT_NE(steps().find("worker recreated (not started by otto)"), std::string::npos);
}

TEST_F(StackPlanTest, FollowingIsTransitiveButNotAlongPlainDependencies) {
  service("a");
  service("b", {}, {"a"});
  service("c", {{"b", DependencyCondition::kStarted, true}});
  service("d", {{"c"}});
  for (const char* name : {"a", "b", "c", "d"}) container(name);
  image_ids_["a"] = "sha256:new";
  EXPECT_EQ(steps(), "a recreated (image changed)\nb recreated (follows a)\nc recreated (follows b)\nd unchanged\n");
  EXPECT_EQ(waves(), "recreate a,b,c");
}

TEST_F(StackPlanTest, DependentsFollowAServiceThatWasMissing) {
  example();
  containers_.erase(containers_.begin() + 1);  // api
  EXPECT_EQ(steps(),
            "api created (not created yet)\ndb unchanged\nmigrate completed (has exited 0)\n"
            "sidecar recreated (follows api)\nworker unchanged\n");
  EXPECT_EQ(waves(), "[db healthy] [migrate completed] start api; recreate sidecar");
}

TEST_F(StackPlanTest, StoppedServicesAreStartedAsTheyAre) {
  example();
  container_of("db").status = parent::ContainerStatus::kExited;
  container_of("worker").status = parent::ContainerStatus::kCreated;
  EXPECT_EQ(steps(),
            "api unchanged\ndb started (was stopped)\nmigrate completed (has exited 0)\nsidecar unchanged\n"
            "worker started (was never started)\n");
  EXPECT_EQ(waves(), "start db,worker");
}

TEST_F(StackPlanTest, ARestartedServiceTakesItsNamespacesWithIt) {
  example();
  container_of("api").status = parent::ContainerStatus::kExited;
  EXPECT_EQ(waves(), "[db healthy] [migrate completed] start api; recreate sidecar");
  EXPECT_NE(steps().find("sidecar recreated (follows api)"), std::string::npos);
}

TEST_F(StackPlanTest, AStoppedSidecarIsMadeAnew) {
  example();
  container_of("sidecar").status = parent::ContainerStatus::kExited;
  EXPECT_EQ(waves(), "recreate sidecar");
  EXPECT_NE(steps().find("sidecar recreated (was stopped)"), std::string::npos);
}

TEST_F(StackPlanTest, DeadContainersAreReplaced) {
  example();
  container_of("worker").status = parent::ContainerStatus::kDead;
  EXPECT_NE(steps().find("worker recreated (was dead)"), std::string::npos);
}

TEST_F(StackPlanTest, PausedAndRestartingContainersAreLeftAlone) {
  example();
  container_of("worker").status = parent::ContainerStatus::kPaused;
  container_of("db").status = parent::ContainerStatus::kRestarting;
  EXPECT_EQ(waves(), "");
  EXPECT_NE(steps().find("worker unchanged (is paused)"), std::string::npos) << "and said";
  EXPECT_NE(steps().find("db unchanged (is restarting)"), std::string::npos);
  image_ids_["worker"] = "sha256:new";
  EXPECT_EQ(waves(), "recreate worker");
}

TEST_F(StackPlanTest, OneShots) {
  example();
  container_of("migrate").exit_code = 3;
  EXPECT_NE(steps().find("migrate started (exited with code 3)"), std::string::npos);
  EXPECT_EQ(waves(), "[db healthy] start migrate");
  container_of("migrate").exit_code = 0;
  model_.services["migrate"].restarts = true;  // on-failure
  EXPECT_NE(steps().find("migrate completed"), std::string::npos) << "whatever its restart policy";
  model_.services["migrate"].one_shot = false;
  EXPECT_NE(steps().find("migrate started (was stopped)"), std::string::npos);
  model_.services["migrate"].digest = graph::sha256("edited");
  EXPECT_NE(steps().find("migrate recreated (its definition changed)"), std::string::npos);
}

TEST_F(StackPlanTest, ExitingWellIsTheEndOfOneShotsOnly) {
  service("web").restarts = false;
  service("side", {}, {"web"});
  container("web", "exited", 0);
  container("side", "exited", 0);
  EXPECT_EQ(steps(), "side recreated (was stopped)\nweb started (was stopped)\n");
}

TEST_F(StackPlanTest, WhatACutCommandHadBegunToReplaceIsReplaced) {
  example();
  container_of("worker").doomed = true;
  container_of("migrate").doomed = true;
  EXPECT_NE(steps().find("worker recreated (its replacement was interrupted)"), std::string::npos);
  EXPECT_NE(steps().find("migrate recreated (its replacement was interrupted)"), std::string::npos)
      << "that it exited 0 may be the answer to a SIGTERM";
}

TEST_F(StackPlanTest, DoomedIsWhatACallEndsAndWhatFollows) {
  example();
  image_ids_["api"] = "sha256:new";
  model_.services["db"].digest = graph::sha256("edited");
  const auto plan = plan_stack(model_, containers_, image_ids_, {});
  using Ids = std::vector<std::string>;
  EXPECT_EQ(doomed_by(*plan, containers_, {"db"}), Ids{container_of("db").id});
  EXPECT_EQ(doomed_by(*plan, containers_, {"db", "api"}),
            (Ids{container_of("db").id, container_of("api").id, container_of("sidecar").id}));
  container_of("api").status = parent::ContainerStatus::kExited;
  EXPECT_EQ(doomed_by(*plan, containers_, {"api"}), Ids{container_of("sidecar").id}) << "it is not told to stop";
  container_of("worker").doomed = true;
  EXPECT_EQ(doomed_by(*plan, containers_, {}), Ids{container_of("worker").id}) << "what was stays in doubt";
}

TEST_F(StackPlanTest, ScalingDownDoomsAnyReplica) {
  service("api").replicas = 1;
  container("api");
  container("api");
  const auto plan = plan_stack(model_, containers_, image_ids_, {});
  EXPECT_EQ(doomed_by(*plan, containers_, {"api"}).size(), 2U);
}

TEST_F(StackPlanTest, ServicesWithOtherGracesThatDependOnEachOtherAreCalledInOrder) {
  service("db").stop_grace_s = 30;
  service("api", {{"db"}});
  service("side", {}, {"api"});
  for (const char* name : {"db", "api", "side"}) {
    container(name);
    image_ids_[name] = "sha256:new";
  }
  EXPECT_EQ(waves(), "recreate db; recreate api,side");
}

TEST_F(StackPlanTest, AFinishedOneShotDoesNotFollowWhatItLivedIn) {
  service("api");
  one_shot("probe", {{"api", DependencyCondition::kStarted, true}}).lives_in = {"api"};
  one_shot("seed", {{"api", DependencyCondition::kStarted, true}});
  container("api");
  container("probe", "exited", 0);
  container("seed", "exited", 0);
  image_ids_["api"] = "sha256:new";
  EXPECT_EQ(steps(), "api recreated (image changed)\nprobe completed (has exited 0)\nseed recreated (follows api)\n");
}

TEST_F(StackPlanTest, ReplicasAreCompletedWithoutTouchingTheOthers) {
  service("api").replicas = 3;
  service("side", {}, {"api"});
  container("api");
  container("side");
  EXPECT_EQ(steps(), "api created (1 of 3 containers exist)\nside unchanged\n");
  EXPECT_EQ(waves(), "start api");
  for (int i = 0; i < 3; ++i) container("api");
  EXPECT_EQ(steps(), "api started (4 containers where 3 are wanted)\nside recreated (follows api)\n");
  containers_.back().service_digest = "other";
  EXPECT_EQ(steps(), "api recreated (its definition changed)\nside recreated (follows api)\n");
}

TEST_F(StackPlanTest, NoReplicasWanted) {
  service("api").replicas = 0;
  EXPECT_EQ(steps(), "api unchanged\n");
  container("api");
  EXPECT_EQ(waves(), "start api");
}

TEST_F(StackPlanTest, ScaledOneShots) {
  one_shot("job").replicas = 2;
  container("job", "exited", 0);
  container("job", "running");
  EXPECT_EQ(steps(), "job unchanged\n");
  containers_.back().status = parent::ContainerStatus::kExited;
  EXPECT_EQ(steps(), "job completed (has exited 0)\n");
  containers_.back().exit_code = 1;
  EXPECT_EQ(steps(), "job started (exited with code 1)\n");
}

TEST_F(StackPlanTest, SelectionTakesWhatItStandsOn) {
  example();
  containers_.clear();
  EXPECT_EQ(waves({"migrate"}), "start db; [db healthy] start migrate");
  EXPECT_EQ(steps({"db"}), "db created (not created yet)\n");
}

TEST_F(StackPlanTest, SelectionTakesRunningSidecarsAlong) {
  example();
  image_ids_["api"] = "sha256:new";
  image_ids_["worker"] = "sha256:new";
  EXPECT_EQ(steps({"api"}),
            "api recreated (image changed)\ndb unchanged\nmigrate completed (has exited 0)\n"
            "sidecar recreated (follows api)\n");
  image_ids_["api"] = "sha256:api";
  image_ids_["sidecar"] = "sha256:new";
  EXPECT_EQ(steps({"api"}), "api unchanged\ndb unchanged\nmigrate completed (has exited 0)\n") << "not asked for";
}

TEST_F(StackPlanTest, ProfilesNeedToBeNamed) {
  service("api");
  service("debug", {{"tools"}}).profiles = {"dev"};
  service("tools").profiles = {"dev"};
  EXPECT_EQ(waves(), "start api");
  EXPECT_EQ(waves({"debug"}), "start debug,tools");
  container("debug");
  const auto plan = plan_stack(model_, containers_, image_ids_, {});
  EXPECT_TRUE(plan->orphans.empty()) << "a service whose profile is off is still the stack's";
}

TEST_F(StackPlanTest, OptionalDependencies) {
  service("api", {{"cache", DependencyCondition::kHealthy, false, false},
                  {"gone", DependencyCondition::kStarted, false, false}});
  service("cache").profiles = {"dev"};
  EXPECT_EQ(waves(), "start api");
  EXPECT_EQ(waves({"api", "cache"}), "start cache; [cache healthy?] start api");
  model_.services["cache"].profiles.clear();
  EXPECT_EQ(waves(), "start cache; [cache healthy?] start api");
  model_.services["api"].depends_on[1].required = true;
  EXPECT_EQ(steps(), "error: service 'api' depends on 'gone', which the stack does not have");
}

TEST_F(StackPlanTest, ConditionsOnUnaffectedServicesAreAwaited) {
  service("db");
  service("api", {{"db", DependencyCondition::kHealthy}});
  container("db");
  EXPECT_EQ(waves(), "[db healthy] start api");
}

TEST_F(StackPlanTest, AConditionThatHangsOnAnAffectedServiceComesAfterIt) {
  service("db");
  service("cache", {{"db"}});
  service("api", {{"cache", DependencyCondition::kHealthy}});
  container("db", "exited");
  container("cache");
  EXPECT_EQ(waves(), "start db; [cache healthy] start api") << "cache may need db to become healthy";
}

TEST_F(StackPlanTest, OrderAcrossTheTwoKindsOfCallIsKept) {
  service("db");
  service("api", {{"db"}});
  service("web", {{"api"}});
  container("api");
  image_ids_["api"] = "sha256:new";
  EXPECT_EQ(waves(), "start db; recreate api; start web");
  service("free");
  EXPECT_EQ(waves(), "start db,free; recreate api; start web");
}

TEST_F(StackPlanTest, WavesHaveNoConditionTwice) {
  service("db");
  service("a", {{"db", DependencyCondition::kHealthy, false, false}});
  service("b", {{"db", DependencyCondition::kHealthy}});
  EXPECT_EQ(waves(), "start db; [db healthy] start a,b");
}

TEST_F(StackPlanTest, Orphans) {
  example();
  container("old").id = "old-container";
  const auto plan = plan_stack(model_, containers_, image_ids_, {});
  ASSERT_EQ(plan->orphans.size(), 1U);
  EXPECT_EQ(plan->orphans[0].id, "old-container");
  EXPECT_TRUE(plan->waves.empty());
}

TEST_F(StackPlanTest, UnknownServicesHaveTheirNearMiss) {
  example();
  auto plan = plan_stack(model_, containers_, image_ids_, {"wroker"});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(plan.error().message, "unknown service 'wroker' … did you mean 'worker'?");
  EXPECT_EQ(plan.error().hint, "the services are: api, db, migrate, sidecar, worker");
}

TEST_F(StackPlanTest, CyclesNameTheirPath) {
  service("a", {{"b"}});
  service("b", {}, {"c"});
  service("c", {{"a"}});
  auto plan = plan_stack(model_, containers_, image_ids_, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kConfig);
  EXPECT_EQ(plan.error().message, "services depend on each other: a → b → c → a");
  service("b", {{"b"}});
  EXPECT_EQ(steps({"b"}), "error: services depend on each other: b → b");
}

TEST_F(StackPlanTest, AnEmptyStackHasNothingToDo) { EXPECT_EQ(steps() + waves(), ""); }

}  // namespace
}  // namespace otto::stack
