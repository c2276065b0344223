#include "graph/drive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace otto::graph {
namespace {

/// Nodes by name, "a < b": b is made from a; what was done to them is put down.
struct Driven {
  Graph graph;
  std::vector<NodeId> nodes;
  std::set<std::string> stale, failing, odd, vital;  // odd: cannot be judged
  std::map<std::string, std::string> batches;
  DriveOptions options{.jobs = 1};
  std::mutex mutex;
  std::vector<std::string> story;
  std::function<void(const std::string&)> when_acting, when_ended;
  std::function<bool(const std::string&)> joins = [](const std::string&) { return true; };

  NodeId add(const std::string& name, const std::vector<std::string>& inputs = {}) {
    const NodeId node = graph.add(NodeKind::kImage, name);
    for (const std::string& input : inputs) graph.add_input(node, graph.add(NodeKind::kImage, input));
    return node;
  }
  void make(const std::string& name, const std::vector<std::string>& inputs = {}) {
    nodes.push_back(add(name, inputs));
    stale.insert(name);
  }
  [[nodiscard]] const std::string& name(NodeId node) const { return graph.node(node).name; }
  std::string names(std::span<const NodeId> some) const {
    std::string all;
    for (const NodeId node : some) all += (all.empty() ? "" : "+") + name(node);
    return all;
  }

  /// "a fresh, b acted, …" in the order of the graph; `story` has what was done, in time.
  std::string run() {
    Rules rules;
    rules.joins = [this](NodeId node) { return joins(name(node)); };
    rules.batch = [this](NodeId node) { return batches[name(node)]; };
    rules.judge = [this](NodeId node) -> Result<Verdict> {
      if (odd.contains(name(node))) return make_error(ErrorCode::kConfig, "odd");
      if (!stale.contains(name(node))) return Verdict{};
      return Verdict{true, {{ReasonKind::kForced, name(node), ""}}};
    };
    rules.is_vital = [this](NodeId node) { return vital.contains(name(node)); };
    rules.act = [this](std::span<const NodeId> some, const std::stop_token&) -> Result<void> {
      if (when_acting) when_acting(names(some));
      const std::lock_guard lock(mutex);
      story.push_back("act " + names(some));
      if (failing.contains(name(some.front()))) return make_error(ErrorCode::kBuildFailed, "no");
      return {};
    };
    rules.ended = [this](std::span<const NodeId> some, NodeEnd end, const Result<void>& result) {
      {
        const std::lock_guard lock(mutex);
        story.push_back(names(some) + " " + word(end));
      }
      EXPECT_EQ(result.ok(), end != NodeEnd::kFailed);
      EXPECT_EQ(std::this_thread::get_id(), caller);
      if (when_ended) when_ended(names(some));
    };
    const auto outcomes = drive(graph, nodes, rules, options);
    std::string all;
    for (const NodeId node : graph.nodes()) {
      const Outcome& outcome = outcomes[node.index];
      all += (all.empty() ? "" : ", ") + name(node) + " " + word(outcome.end);
      if (outcome.end == NodeEnd::kActed || outcome.end == NodeEnd::kStale) {
        EXPECT_EQ(outcome.reasons, (std::vector<Reason>{{ReasonKind::kForced, name(node), ""}}));
      }
    }
    return all;
  }
  static std::string word(NodeEnd end) { return std::string(node_end_name(end)); }
  const std::thread::id caller = std::this_thread::get_id();
};

TEST(Drive, InputsComeFirst) {
  for (const unsigned jobs : {1U, 4U}) {
    Driven driven;
    driven.options.jobs = jobs;
    driven.make("c", {"b", "a"});
    driven.make("b", {"a"});
    driven.make("a");
    EXPECT_EQ(driven.run(), "c acted, b acted, a acted");
    EXPECT_EQ(driven.story, (std::vector<std::string>{"act a", "a acted", "act b", "b acted", "act c", "c acted"}));
  }
}

TEST(Drive, WhatIsFreshIsLeftAloneAndHoldsNothingUp) {
  Driven driven;
  driven.make("a");
  driven.make("b", {"a"});
  driven.make("c", {"b"});
  driven.stale = {"a", "c"};
  EXPECT_EQ(driven.run(), "a acted, b fresh, c acted");
  EXPECT_EQ(driven.story, (std::vector<std::string>{"act a", "a acted", "b fresh", "act c", "c acted"}));
}

TEST(Drive, NothingToDrive) {
  Driven driven;
  driven.add("a");
  EXPECT_EQ(driven.run(), "a outside");
}

TEST(Drive, InputsThatAreNotDrivenCountAsEnded) {
  Driven driven;
  driven.make("b", {"a"});
  EXPECT_EQ(driven.run(), "b acted, a outside");
}

TEST(Drive, AFailureBeginsNothingNew) {
  Driven driven;
  driven.make("a");
  driven.make("b", {"a"});
  driven.make("c");
  driven.failing = {"a"};
  EXPECT_EQ(driven.run(), "a failed, b blocked, c blocked");
  EXPECT_EQ(driven.story, (std::vector<std::string>{"act a", "a failed"}));
}

TEST(Drive, KeepGoingBlocksOnlyWhatStandsOnIt) {
  Driven driven;
  driven.make("a");
  driven.make("b", {"a"});
  driven.make("c");
  driven.make("d", {"b"});
  driven.make("e", {"c"});
  driven.failing = {"a"};
  driven.options.keep_going = true;
  EXPECT_EQ(driven.run(), "a failed, b blocked, c acted, d blocked, e acted");
}

TEST(Drive, AFailureOfAVitalNodeEndsTheRunAllTheSame) {
  Driven driven;
  driven.make("a");
  driven.make("b");
  driven.failing = {"a"};
  driven.vital = {"a"};
  driven.options.keep_going = true;
  EXPECT_EQ(driven.run(), "a failed, b blocked");
}

TEST(Drive, WhatCannotBeJudgedHasFailed) {
  Driven driven;
  driven.make("a");
  driven.make("b", {"a"});
  driven.odd = {"a"};
  EXPECT_EQ(driven.run(), "a failed, b blocked");
  EXPECT_EQ(driven.story, std::vector<std::string>{"a failed"});
}

TEST(Drive, ABatchActsAsOneAlsoWhereItsNodesStandOnEachOther) {
  Driven driven;
  driven.make("image");
  driven.make("db", {"image"});
  driven.make("api", {"db"});
  driven.make("idle", {"image"});
  driven.make("web", {"api"});
  driven.stale.erase("idle");
  driven.batches = {{"db", "1"}, {"api", "1"}, {"idle", "1"}, {"web", "2"}};
  EXPECT_EQ(driven.run(), "image acted, db acted, api acted, idle fresh, web acted");
  EXPECT_EQ(driven.story, (std::vector<std::string>{"act image", "image acted", "idle fresh", "act db+api",
                                                    "db+api acted", "act web", "web acted"}));
}

TEST(Drive, WhatIsFoundWhenANodeEndsJoins) {
  for (const bool stale : {true, false}) {
    Driven driven;
    driven.make("stack");
    if (!stale) driven.stale.erase("stack");
    driven.when_ended = [&](const std::string& names) {
      if (names != "stack") return;
      driven.add("db", {"stack"});
      driven.add("api", {"stack", "db"});
      driven.stale.insert({"db", "api"});
    };
    EXPECT_EQ(driven.run(), std::string("stack ") + (stale ? "acted" : "fresh") + ", db acted, api acted");
  }
}

TEST(Drive, ManyMayBeFoundByOneThatIsFresh) {
  Driven driven;
  driven.make("stack");
  driven.stale.clear();
  driven.when_ended = [&](const std::string& names) {
    if (names != "stack") return;
    for (int i = 0; i < 200; ++i) driven.add("service " + std::to_string(i), {"stack"});
  };
  driven.run();
  EXPECT_EQ(driven.story.size(), 201U);
}

TEST(Drive, ABatchOfWhichOneCannotBeJudgedHasFailed) {
  Driven driven;
  driven.make("a");
  driven.make("b");
  driven.batches = {{"a", "1"}, {"b", "1"}};
  driven.odd = {"b"};
  EXPECT_EQ(driven.run(), "a failed, b failed");
}

TEST(Drive, WhatStandsOnAFailureIsNotFound) {
  Driven driven;
  driven.make("image");
  driven.make("stack", {"image"});
  driven.failing = {"image"};
  driven.options.keep_going = true;
  driven.when_ended = [&](const std::string& names) {
    if (names == "stack") driven.add("db", {"stack"});
  };
  EXPECT_EQ(driven.run(), "image failed, stack blocked");
}

TEST(Drive, ADryRunJudgesAllAndDoesNothing) {
  Driven driven;
  driven.make("a");
  driven.make("b", {"a"});
  driven.stale.erase("b");
  driven.options.dry_run = true;
  EXPECT_EQ(driven.run(), "a stale, b fresh");
  EXPECT_EQ(driven.story, (std::vector<std::string>{"a stale", "b fresh"}));
}

TEST(Drive, IndependentNodesActAtOnce) {
  Driven driven;
  driven.options.jobs = 2;
  driven.make("a");
  driven.make("b");
  std::mutex inside_mutex;
  std::condition_variable arrived;
  int inside = 0;
  // Each ends only when both are inside: with one worker this would never end.
  driven.when_acting = [&](const std::string&) {
    std::unique_lock lock(inside_mutex);
    ++inside;
    arrived.notify_all();
    arrived.wait(lock, [&] { return inside == 2; });
  };
  EXPECT_EQ(driven.run(), "a acted, b acted");
}

TEST(Drive, OneJobIsDoneByTheCaller) {
  Driven driven;
  driven.make("a");
  driven.when_acting = [&](const std::string&) { EXPECT_EQ(std::this_thread::get_id(), driven.caller); };
  EXPECT_EQ(driven.run(), "a acted");
}

TEST(Drive, AStopBeginsNothingNew) {
  Driven driven;
  std::stop_source stop;
  driven.options.stop = stop.get_token();
  driven.make("a");
  driven.make("b", {"a"});
  driven.when_acting = [&](const std::string&) { stop.request_stop(); };
  EXPECT_EQ(driven.run(), "a acted, b blocked");
}

TEST(Drive, WhatActsHereDoesSoWhileWorkersWork) {
  Driven driven;
  driven.options.jobs = 2;
  driven.make("a");
  driven.make("here");
  Rules rules;
  std::thread::id acted_on;
  std::mutex mutex;
  std::condition_variable changed;
  bool here_has_acted = false;
  rules.judge = [](NodeId) -> Result<Verdict> { return Verdict{true}; };
  rules.acts_here = [&](NodeId node) { return driven.name(node) == "here"; };
  rules.act = [&](std::span<const NodeId> some, const std::stop_token&) -> Result<void> {
    std::unique_lock lock(mutex);
    if (driven.name(some.front()) == "here") {
      acted_on = std::this_thread::get_id();
      here_has_acted = true;
      changed.notify_all();
    } else {
      changed.wait(lock, [&] { return here_has_acted; });
    }
    return {};
  };
  for (const Outcome& outcome : drive(driven.graph, driven.nodes, rules, driven.options)) {
    EXPECT_EQ(outcome.end, NodeEnd::kActed);
  }
  EXPECT_EQ(acted_on, driven.caller);
}

TEST(Drive, WhoThrowsOnTheCallingThreadLeavesNoWorkerBehind) {
  Driven driven;
  driven.options.jobs = 3;
  driven.make("a");
  Rules rules;
  rules.judge = [](NodeId) -> Result<Verdict> { return Verdict{true}; };
  rules.acts_here = [](NodeId) { return true; };
  rules.act = [](std::span<const NodeId>, const std::stop_token&) -> Result<void> { throw std::runtime_error("end"); };
  EXPECT_THROW(drive(driven.graph, driven.nodes, rules, driven.options), std::runtime_error);
}

TEST(Drive, GatesAreWaitedFor) {
  for (const unsigned jobs : {1U, 4U}) {
    Driven driven;
    driven.options.jobs = jobs;
    driven.make("b");
    driven.make("a");
    driven.graph.add_gate(driven.nodes[0], driven.nodes[1]);
    EXPECT_EQ(driven.run(), "b acted, a acted");
    EXPECT_EQ(driven.story, (std::vector<std::string>{"act a", "a acted", "act b", "b acted"}));
    EXPECT_TRUE(driven.graph.node(driven.nodes[0]).inputs.empty());
  }
}

TEST(Drive, WhatDoesNotJoinIsLeftOutside) {
  Driven driven;
  driven.make("a");
  driven.when_ended = [&](const std::string& name) {
    if (name != "a") return;
    driven.add("found");
    driven.add("other");
    driven.stale.insert("found");
  };
  driven.joins = [](const std::string& name) { return name != "other"; };
  EXPECT_EQ(driven.run(), "a acted, found acted, other outside");
}

TEST(Drive, EachKindHasItsRules) {
  Graph graph;
  const NodeId image = graph.add(NodeKind::kImage, "api"), file = graph.add(NodeKind::kDockerfile, "api");
  const NodeId service = graph.add(NodeKind::kService, "api");
  std::vector<std::string> story;
  const auto rules_of = [&](const std::string& word, bool acts) {
    Rules rules;
    rules.batch = [](NodeId) { return "one"; };
    rules.judge = [&story, word](NodeId) -> Result<Verdict> {
      story.push_back(word + " judged");
      return Verdict{true};
    };
    rules.acts_here = [](NodeId) { return true; };
    if (acts) {
      rules.act = [&story, word](std::span<const NodeId> some, const std::stop_token&) -> Result<void> {
        story.push_back(word + " acts on " + std::to_string(some.size()));
        return word == "image" ? Result<void>(make_error(ErrorCode::kBuildFailed, "no")) : Result<void>();
      };
      rules.is_vital = [](NodeId) { return true; };
    }
    return rules;
  };
  DriveOptions options;
  options.keep_going = true;
  const Rules rules = by_kind(graph, {{NodeKind::kImage, rules_of("image", true)},
                                      {NodeKind::kDockerfile, rules_of("file", false)},
                                      {NodeKind::kService, rules_of("service", true)}});
  const auto outcomes = drive(graph, {file, image, service}, rules, options);
  EXPECT_EQ(story, (std::vector<std::string>{"file judged", "image judged", "image acts on 1"}));
  EXPECT_EQ(outcomes[file.index].end, NodeEnd::kActed);
  EXPECT_EQ(outcomes[image.index].end, NodeEnd::kFailed);
  EXPECT_EQ(outcomes[service.index].end, NodeEnd::kBlocked);
}

}  // namespace
}  // namespace otto::graph
