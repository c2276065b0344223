#include "cli/render/trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace otto::cli {
namespace {

class Recorder : public Reporter {
 public:
  void report(const Event& event) override { subjects.push_back(event.subject); }
  void left(const std::string& subject) override { subjects.push_back("left " + subject); }
  std::vector<std::string> subjects;
};

/// A trace whose clock moves ten microseconds with every look at it.
class TraceTest : public ::testing::Test {
 protected:
  void phase(Phase phase, const std::string& subject, const std::string& detail = "") {
    trace.report(Event::in_phase(phase, subject, detail));
  }
  void done(const std::string& subject, const std::string& detail) {
    trace.report(Event::finished(Phase::kBuilding, subject, detail));
  }
  /// "row name: begin+length detail" of each span, after a check of the whole.
  std::vector<std::string> spans() {
    const auto all = nlohmann::json::parse(trace.json());
    std::map<int, std::string> rows;
    std::vector<std::string> lines;
    for (const auto& event : all) {
      EXPECT_EQ(event.at("pid"), 1);
      if (event.at("ph") == "M") {
        rows[event.at("tid")] = event.at("args").at("name");
        continue;
      }
      EXPECT_EQ(event.at("ph"), "X");
      EXPECT_FALSE(event.at("cat").get<std::string>().empty());
      std::string line = rows.at(event.at("tid")) + "| " + event.at("name").get<std::string>() + ": " +
                         std::to_string(event.at("ts").get<int>()) + "+" + std::to_string(event.at("dur").get<int>());
      if (event.at("args").contains("detail")) line += " " + event.at("args").at("detail").get<std::string>();
      lines.push_back(line);
    }
    return lines;
  }

  std::int64_t now = 0;
  Recorder next;
  Trace trace{next, [this] { return now += 10; }};
};

TEST_F(TraceTest, PhasesOfAnImageFollowEachOtherAndStepsLieWithin) {
  std::thread worker([&] {
    phase(Phase::kUploading, "api");
    phase(Phase::kUploading, "api");
    phase(Phase::kBuilding, "api");
    phase(Phase::kBuilding, "api", "[1/1] RUN make");
    phase(Phase::kBuilding, "api", "[1/1] RUN make");
    phase(Phase::kBuilding, "api", "tagging");
    trace.left("api");
    phase(Phase::kBuilding, "web");
    trace.left("web");
  });
  worker.join();
  done("api", "built");
  EXPECT_EQ(spans(), (std::vector<std::string>{"worker 1| uploading api: 10+10", "worker 1| building api: 30+30",
                                               "worker 1| [1/1] RUN make: 40+10", "worker 1| tagging: 50+10",
                                               "worker 1| building web: 70+10"}));
}

TEST_F(TraceTest, WhatOneThreadHasInHandAtOnceGetsRowsOfItsOwn) {
  phase(Phase::kStarting, "api", "image changed");
  phase(Phase::kStarting, "db");
  done("db", "created");
  done("api", "recreated");
  phase(Phase::kWaiting, "api");
  EXPECT_EQ(spans(), (std::vector<std::string>{"main| starting api: 10+30 image changed",
                                               "main (2)| starting db: 20+10 created", "main| waiting api: 50+10"}));
}

TEST_F(TraceTest, AllIsPassedOnAndOddNamesStayValid) {
  phase(Phase::kScanning, "a\"b\xff\n");
  trace.report(Event::warning(Phase::kScanning, "careful", ""));
  trace.left("a\"b\xff\n");
  EXPECT_EQ(next.subjects, (std::vector<std::string>{"a\"b\xff\n", "careful", "left a\"b\xff\n"}));
  EXPECT_EQ(spans().size(), 1U);
}

TEST_F(TraceTest, NothingDoneIsAnEmptyTrace) { EXPECT_TRUE(spans().empty()); }

TEST_F(TraceTest, NodesOfAScheduleAreInstants) {
  graph::Graph graph;
  const graph::NodeId image = graph.add(graph::NodeKind::kImage, "api");
  const graph::NodeId context = graph.add(graph::NodeKind::kContext, "src"),
                      other = graph.add(graph::NodeKind::kImage, "other");
  const graph::NodeId stack = graph.add(graph::NodeKind::kStack, "demo");
  graph.add_input(image, context);
  graph.add_gate(stack, image);
  std::vector<graph::Outcome> outcomes(graph.size());
  outcomes[image.index] = {graph::NodeEnd::kActed, {{graph::ReasonKind::kFileChanged, "main.c", ""}}};
  outcomes[context.index].end = graph::NodeEnd::kFresh;
  outcomes[stack.index].end = graph::NodeEnd::kBlocked;
  ASSERT_EQ(outcomes[other.index].end, graph::NodeEnd::kOutside);
  trace.driven(graph, outcomes);
  std::vector<nlohmann::json> nodes;
  for (const auto& event : nlohmann::json::parse(trace.json())) {
    if (event.at("ph") == "i") nodes.push_back(event);
  }
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0].at("name"), "image api");
  EXPECT_EQ(nodes[0].at("args"),
            nlohmann::json::parse(R"({"end": "acted", "why": "file-changed main.c", "inputs": ["context src"]})"));
  EXPECT_EQ(nodes[1].at("args"), nlohmann::json::parse(R"({"end": "fresh"})"));
  EXPECT_EQ(nodes[2].at("args"), nlohmann::json::parse(R"({"end": "blocked", "gates": ["image api"]})"));
}

}  // namespace
}  // namespace otto::cli
