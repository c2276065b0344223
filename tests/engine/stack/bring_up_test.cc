// `up` from inputs to containers, on a simulated parent: what one command does, and does not do.
#include "engine/stack/bring_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/simulation/invariants.h"
#include "tests/support/simulation/machine.h"

namespace otto::simulation {
namespace {

using docker::ServiceAction;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BringUp : public ::testing::Test {
 protected:
  Came run(Verb verb, Machine& machine, Fault fault = {}) {
    Client client(world_, 0, "otto", fault, [&](const std::string& path) { return machine.read(path); });
    try {
      return machine.run(verb, client);
    } catch (const Killed&) {
      Came came;
      came.killed = true;
      return came;
    }
  }
  Came up(Fault fault = {}) { return run(Verb::kUp, *mine_, fault); }

  /// Service → what was done, without those that were left alone.
  static std::map<std::string, ServiceAction> acted(const Came& came) {
    std::map<std::string, ServiceAction> all;
    for (const docker::ServiceResult& service : came.up->services) {
      if (service.action != ServiceAction::kUnchanged && service.action != ServiceAction::kCompleted) {
        all.emplace(service.service, service.action);
      }
    }
    return all;
  }
  static std::vector<std::string> built(const Came& came) {
    std::vector<std::string> names;
    for (const docker::ImageResult& image : came.up->build.images) {
      if (image.status == docker::ImageStatus::kBuilt) names.push_back(image.name);
    }
    return names;
  }
  [[nodiscard]] std::vector<std::string> ids_of(const std::string& service) {
    std::vector<std::string> ids;
    for (const Container* one : world_.containers_of(kProject, service)) ids.push_back(one->state.id);
    return ids;
  }
  /// The edit that Checkout::edit() makes of a file's content.
  void write(const std::string& folder_main, unsigned version) {
    static const std::map<std::string, unsigned> kFolders = {{"base", 0}, {"app", 1}, {"side", 2}};
    mine_->edit(0, kFolders.at(folder_main) + 3 * version);
  }

  World world_{1, {}, false};
  std::unique_ptr<Machine> mine_ = machine_in_memory("/mine"), theirs_ = machine_in_memory("/theirs");

  void SetUp() override { world_.tags["db:1"] = world_.add_image("a database"); }
};

TEST_F(BringUp, MakesAllAndThenNothing) {
  const Came first = up();
  ASSERT_FALSE(first.error) << first.error->message;
  EXPECT_THAT(built(first), ElementsAre("base", "api", "tool", "side"));
  EXPECT_EQ(acted(first).size(), 5U);
  const unsigned changes = world_.changes;
  const Came second = up();
  ASSERT_FALSE(second.error) << second.error->message;
  EXPECT_THAT(built(second), IsEmpty());
  EXPECT_THAT(acted(second), IsEmpty());
  EXPECT_EQ(world_.changes, changes);
}

TEST_F(BringUp, AnEditReplacesWhatItReachesAndNothingElse) {
  ASSERT_FALSE(up().error);
  const auto db = ids_of("db"), job = ids_of("job");
  write("app", 1);
  const Came came = up();
  ASSERT_FALSE(came.error) << came.error->message;
  EXPECT_THAT(built(came), ElementsAre("api", "tool"));
  const std::map<std::string, ServiceAction> replaced = {
      {"api", ServiceAction::kRecreated}, {"car", ServiceAction::kRecreated}, {"web", ServiceAction::kRecreated}};
  EXPECT_EQ(acted(came), replaced) << "car lives in api's network";
  EXPECT_EQ(ids_of("db"), db);
  EXPECT_EQ(ids_of("job"), job);
}

TEST_F(BringUp, EveryNodeTellsHowItEndedAndWhy) {
  const auto told = [](const Came& came, graph::NodeKind kind, std::string_view name) {
    const std::optional<graph::NodeId> node = came.up->build.graph.id(kind, name);
    if (!node) return std::string("no node");
    const graph::Outcome& outcome = came.up->build.outcomes.at(node->index);
    const std::string why = graph::in_short(outcome.reasons);
    return std::string(graph::node_end_name(outcome.end)) + (why.empty() ? "" : ": " + why);
  };
  using graph::NodeKind;
  ASSERT_FALSE(up().error);
  write("app", 1);
  const Came edited = up(), idle = up();
  ASSERT_FALSE(edited.error || idle.error);
  const std::string stack(kProject);
  EXPECT_EQ(told(edited, NodeKind::kImage, "api"), "acted: file-changed main");
  EXPECT_EQ(told(edited, NodeKind::kImage, "base"), "fresh");
  EXPECT_EQ(told(edited, NodeKind::kStack, stack), "acted");
  EXPECT_EQ(told(edited, NodeKind::kStackFiles, stack), "acted");
  EXPECT_THAT(told(edited, NodeKind::kService, "api"), ::testing::StartsWith("acted: image-changed"));
  EXPECT_EQ(told(edited, NodeKind::kService, "db"), "fresh");
  EXPECT_EQ(told(idle, NodeKind::kImage, "api"), "fresh");
  EXPECT_EQ(told(idle, NodeKind::kStack, stack), "fresh");
  EXPECT_EQ(told(idle, NodeKind::kStackFiles, stack), "fresh");
  EXPECT_EQ(told(idle, NodeKind::kService, "api"), "fresh");
  const graph::Graph& graph = idle.up->build.graph;
  const graph::Node* service = graph.find(NodeKind::kService, "api");
  ASSERT_NE(service, nullptr);
  EXPECT_THAT(service->inputs,
              ElementsAre(*graph.id(NodeKind::kStackFiles, stack), *graph.id(NodeKind::kImage, "api")));
  EXPECT_EQ(std::ranges::count(graph.nodes(), NodeKind::kRegistration,
                               [&](graph::NodeId node) { return graph.node(node).kind; }),
            static_cast<std::ptrdiff_t>(idle.up->services.size()));
}

TEST_F(BringUp, AnEditThatNoLayerSeesReplacesNothing) {
  ASSERT_FALSE(up().error);
  mine_->edit(2, 1 + 3 * 1);  // app/notes
  const Came came = up();
  ASSERT_FALSE(came.error) << came.error->message;
  EXPECT_THAT(built(came), ElementsAre("api", "tool"));
  EXPECT_THAT(acted(came), IsEmpty());
}

TEST_F(BringUp, AFailedImageLeavesTheStackAlone) {
  ASSERT_FALSE(up().error);
  const unsigned containers = static_cast<unsigned>(world_.containers.size());
  mine_->edit(6, 40);  // docker/base: RUN false
  const Came came = up();
  ASSERT_FALSE(came.error) << came.error->message;
  EXPECT_GT(came.up->build.failures(), 0U);
  EXPECT_THAT(came.up->services, IsEmpty());
  EXPECT_EQ(world_.containers.size(), containers);
}

TEST_F(BringUp, AFollowerWhoseImageNobodyHereHasBuiltKeepsTheOneThatItRuns) {
  ASSERT_FALSE(run(Verb::kUp, *theirs_).error);
  write("base", 1);
  const Came came = run(Verb::kUpService, *mine_);  // replaces api, and car with it
  ASSERT_FALSE(came.error) << came.error->message;
  EXPECT_EQ(acted(came).count("car"), 1U);
  world_.settle();
  ASSERT_EQ(world_.containers_of(kProject, "car").size(), 1U);
  EXPECT_EQ(world_.containers_of(kProject, "car").front()->state.status, parent::ContainerStatus::kRunning);
}

TEST_F(BringUp, WithNothingToDoItStillWaitsForWhoIsAtWork) {
  ASSERT_FALSE(up().error);
  // Another otto has the turn, and has changed nothing yet.
  world_.notes[kProject].generation = "open theirs";
  auto theirs =
      std::make_unique<World::Hold>(world_.try_lock(std::string("project ") + kProject, true, Guard::kProjectLock));
  ASSERT_TRUE(*theirs);
  const std::uint64_t until = world_.clock + 50;
  world_.after(50, [&] { theirs.reset(); });
  const Came came = up();
  ASSERT_FALSE(came.error) << came.error->message;
  EXPECT_GE(world_.clock, until);
  EXPECT_FALSE(parent::is_open(world_.notes[kProject].generation)) << "it had the turn itself, and gave it back";
}

TEST_F(BringUp, WhereverItIsKilledTheNextOneConverges) {
  for (const bool compose_v1 : {false, true}) {
    for (unsigned step = 0;; ++step) {
      World world(7, {}, compose_v1);
      world.tags["db:1"] = world.add_image("a database");
      const auto machine = machine_in_memory("/mine");
      const auto go = [&](Fault fault) {
        Client client(world, 0, "otto", fault, [&](const std::string& path) { return machine->read(path); });
        try {
          const Came came = machine->run(Verb::kUp, client);
          EXPECT_FALSE(came.error) << came.error->message;
          return true;
        } catch (const Killed&) {
          return false;
        }
      };
      ASSERT_TRUE(go({}));
      machine->edit(0, 1 + 3 * 1);
      machine->edit(12, 1);
      const bool was_done = go({Fault::Kind::kKilled, step});
      ASSERT_TRUE(go({}));
      world.settle();
      EXPECT_NO_THROW(check_stack(world, machine->checkout)) << "step " << step;
      EXPECT_NO_THROW(check_tags(world)) << "step " << step;
      EXPECT_NO_THROW(check_volumes(world)) << "step " << step;
      if (was_done) break;
    }
  }
}

}  // namespace
}  // namespace otto::simulation
