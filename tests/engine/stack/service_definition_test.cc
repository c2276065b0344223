// What of a service's definition changed, from two answers of Compose and what stands behind them.
#include "engine/stack/service_definition.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/stack/stack_model.h"

namespace otto::stack {
namespace {

using nlohmann::json;

/// A service with one of everything; `sources` as the client would give them.
struct Stack {
  json document = json::parse(R"json({
    "services": {"api": {
      "image": "veggies-api", "command": ["run", "--fast"], "environment": {"LEVEL": "1", "TOKEN": "hunter2"},
      "ports": [{"target": 80, "published": "8080"}, {"target": 81, "published": "8081"}],
      "volumes": [{"type": "bind", "source": "/stage/data", "target": "/data"}],
      "labels": {"team": "roots"}, "networks": {"front": null}, "configs": [{"source": "site", "target": "/site"}],
      "secrets": [{"source": "key"}, {"source": "token"}], "security_opt": ["seccomp=p.json"]}},
    "networks": {"front": {"name": "v_front"}},
    "configs": {"site": {"name": "v_site", "file": "/stage/conf/site"}},
    "secrets": {"key": {"name": "v_key", "file": "/stage/key"}, "token": {"name": "v_token", "environment": "TOKEN"}}
  })json");
  ModelSources sources = {"/stage", ".", {}, {{"TOKEN", "hunter2"}, {"LEVEL", "1"}}, {}, "key of the memo"};

  Stack() {
    for (const char* path : {"conf/site", "key", "p.json", "api.env"}) sources.staged[path] = graph::sha256(path);
    sources.services["api"] = {{{"LEVEL"}, {"command"}, {}, {}}, {"api.env"}};
  }
  json& api() { return document["services"]["api"]; }
  ServiceDefinition definition() const {
    return parse_stack_model(document.dump(), sources)->services.at("api").definition;
  }
};

template <typename Edit>
std::string changes(Edit edit) {
  Stack before, now;
  edit(now);
  const auto stored = parse_stored_definition(serialize(before.definition()));
  if (!stored) return "not stored";
  std::string told;
  for (const graph::Reason& reason : definition_changes(*stored, now.definition())) {
    told += fmt::format("{} {} ({})\n", graph::reason_name(reason.kind), reason.subject, reason.detail);
  }
  return told;
}

TEST(ServiceDefinition, NothingChanged) {
  EXPECT_EQ(changes([](Stack&) {}), "");
}

TEST(ServiceDefinition, KeysAreNamedWithWhatTheyHeld) {
  EXPECT_EQ(changes([](Stack& now) { now.api()["ports"][1]["published"] = "9090"; }),
            R"(definition-changed ports.81 ({"published":"8081","target":81} → {"published":"9090","target":81}))"
            "\n");
  EXPECT_EQ(changes([](Stack& now) { now.api()["user"] = "nobody"; }), "definition-changed user (added: \"nobody\")\n");
  EXPECT_EQ(changes([](Stack& now) { now.api()["volumes"][0]["source"] = "/stage/other"; }),
            R"(definition-changed volumes./data ({"source":"data","target":"/data","type":"bind"} → )"
            R"({"source":"other","target":"/data","type":"bind"}))"
            "\n");
  EXPECT_EQ(changes([](Stack& now) { now.api().erase("networks"); }),
            "definition-changed networks.front (removed)\ndefinition-changed top-level networks.front (removed)\n");
}

TEST(ServiceDefinition, WhatMayBeASecretIsNotShown) {
  EXPECT_EQ(changes([](Stack& now) { now.api()["environment"]["TOKEN"] = "hunter3"; }),
            "definition-changed environment.TOKEN (changed)\n");
  EXPECT_EQ(changes([](Stack& now) {
              now.api()["command"] = {"run", "--slow"};
            }),
            "definition-changed command (changed)\n")
      << "people write passwords there";
  EXPECT_EQ(changes([](Stack& now) { now.api()["labels"]["team"] = "leaves"; }),
            "definition-changed labels.team (changed)\n");
  const std::string stored = serialize(Stack().definition());
  for (const char* secret : {"hunter2", "--fast", "roots"}) EXPECT_EQ(stored.find(secret), std::string::npos) << secret;
}

TEST(ServiceDefinition, SecretsDeepInAKeyAreNotShownEither) {
  Stack stack;
  stack.api()["post_start"] = json::parse(R"([{"command": ["/x"], "environment": {"TOKEN": "hunter2"}}])");
  stack.api()["deploy"] = {{"labels", {{"token", "hunter2"}}}};
  stack.api()["volumes"][0]["volume"] = {{"labels", {{"token", "hunter2"}}}};
  stack.api()["logging"] = {{"options", {{"token", "hunter2"}}}};
  stack.document["networks"]["front"]["driver_opts"] = {{"token", "hunter2"}};
  const std::string stored = serialize(stack.definition());
  EXPECT_EQ(stored.find("hunter2"), std::string::npos) << stored;
  EXPECT_EQ(stored.find(graph::sha256("hunter2").hex()), std::string::npos) << "a digest that anybody can make";
}

TEST(ServiceDefinition, NamesThatAVariableMayHaveMadeAreNotTold) {
  Stack stack;
  auto& sources = stack.sources.services["api"].written;
  sources.interpolated = {"labels", "volumes", "ports", "environment"};
  sources.names_from_variables = {"labels"};
  stack.api()["labels"] = {{"router.hunter2.rule", "x"}};
  stack.api()["volumes"][0]["target"] = "/hunter2";
  const std::string stored = serialize(stack.definition());
  EXPECT_EQ(stored.find("hunter2"), std::string::npos) << stored;
  EXPECT_NE(stored.find("\"environment.LEVEL\""), std::string::npos) << "only its value is a variable's";
  sources.partial = true;
  stack.api()["environment"] = {{"hunter2", "1"}};
  stack.api()["user"] = "hunter2";
  EXPECT_EQ(serialize(stack.definition()).find("hunter2"), std::string::npos) << "what it extends was not read here";
  stack.sources.services.clear();
  EXPECT_EQ(serialize(stack.definition()).find("hunter2"), std::string::npos) << "nothing of it was read here";
}

TEST(ServiceDefinition, WhatHasOneNameIsNotLost) {
  EXPECT_EQ(changes([](Stack& now) { now.document["networks"]["front"]["internal"] = true; }),
            "definition-changed top-level networks.front (changed)\n");
  EXPECT_EQ(changes([](Stack& now) {
              now.api()["ports"].push_back({{"target", 80}, {"protocol", "udp"}});
            }),
            "definition-changed ports.80/udp (added: {\"protocol\":\"udp\",\"target\":80})\n");
  EXPECT_EQ(changes([](Stack& now) {
              now.api()["ports"].push_back({{"target", 80}, {"published", "80"}});
            }),
            "definition-changed ports.80 (changed)\n");
}

TEST(ServiceDefinition, CausesComeBeforeTheKeysThatTheyShowIn) {
  EXPECT_EQ(changes([](Stack& now) {
              now.api()["environment"]["LEVEL"] = "2";
              now.sources.variables["LEVEL"] = "2";
              now.sources.staged["api.env"] = graph::sha256("edited");
            }),
            "staged-file-changed api.env (changed)\nvariable-changed LEVEL (changed)\n"
            "definition-changed environment.LEVEL (changed)\n");
}

TEST(ServiceDefinition, FilesSecretsAndVariablesGoByName) {
  EXPECT_EQ(changes([](Stack& now) { now.sources.staged["conf/site"] = graph::sha256("edited"); }),
            "staged-file-changed configs.site (changed)\n");
  EXPECT_EQ(changes([](Stack& now) { now.sources.staged["key"] = graph::sha256("edited"); }),
            "secret-changed key (changed)\n");
  EXPECT_EQ(changes([](Stack& now) { now.sources.variables["TOKEN"] = "hunter3"; }),
            "secret-changed token (changed)\n");
  EXPECT_EQ(changes([](Stack& now) { now.sources.staged["p.json"] = graph::sha256("edited"); }),
            "staged-file-changed seccomp profile (changed)\n");
}

TEST(ServiceDefinition, DamagedOnesAreNotRead) {
  const std::string stored = serialize(Stack().definition());
  EXPECT_EQ(parse_stored_definition(stored.substr(0, stored.size() / 2)), std::nullopt);
  EXPECT_EQ(parse_stored_definition("{}"), std::nullopt);
  EXPECT_EQ(parse_stored_definition(R"({"version":2,"parts":[]})"), std::nullopt);
  EXPECT_EQ(parse_stored_definition(R"({"version":1,"parts":[["no-such-kind","a","","" ]]})"), std::nullopt);
}

}  // namespace
}  // namespace otto::stack
