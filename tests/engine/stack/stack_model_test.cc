// The stack as a model: from Compose's own answer (golden), digests that see what matters and nothing else, the
// override.
#include "engine/stack/stack_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/support/golden.h"

namespace otto::stack {
namespace {

using Staged = std::map<std::string, graph::Digest>;
constexpr std::string_view kStage = "/srv/otto/stage/veggies-compose";

std::string golden_text(const std::string& name) {
  std::ifstream stream(testing::golden_path("compose/" + name), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

nlohmann::json config() { return nlohmann::json::parse(golden_text("config-2.26.json")); }

StackModel model_of(const nlohmann::json& document, const Staged& staged = {}, std::string_view stage = kStage,
                    const std::map<std::string, std::string>& variables = {}) {
  auto model = parse_stack_model(document.dump(), {std::string(stage), ".", staged, variables});
  return model ? *model : StackModel{};
}

std::vector<std::string> changed(const StackModel& a, const StackModel& b) {
  std::vector<std::string> names;
  for (const auto& [name, service] : a.services) {
    if (b.services.at(name).digest != service.digest) names.push_back(name);
  }
  return names;
}

/// The services whose digest an edit of the golden document changes.
template <typename Edit>
std::vector<std::string> changed_by(Edit edit) {
  nlohmann::json edited = config();
  edit(edited);
  return changed(model_of(config()), model_of(edited));
}

using Names = std::vector<std::string>;

TEST(StackModel, IsReadFromComposesOwnAnswer) {
  const StackModel model = model_of(config());
  ASSERT_EQ(model.services.size(), 5U);
  EXPECT_EQ(model.networks, (Names{"otto-veggies-pat_default", "otto-veggies-pat_front"}));
  EXPECT_EQ(model.volumes, (Names{"otto-veggies-pat_data"}));

  const ServiceModel& api = model.services.at("api");
  EXPECT_EQ(api.name, "api");
  EXPECT_EQ(api.image, "veggies-api");
  ASSERT_EQ(api.depends_on.size(), 2U);
  EXPECT_EQ(api.depends_on[0].service, "db");
  EXPECT_EQ(api.depends_on[0].condition, DependencyCondition::kHealthy);
  EXPECT_TRUE(api.depends_on[0].required);
  EXPECT_EQ(api.depends_on[1].condition, DependencyCondition::kCompleted);
  EXPECT_FALSE(api.depends_on[1].required);
  EXPECT_TRUE(api.restarts);
  EXPECT_FALSE(api.one_shot);
  EXPECT_EQ(api.replicas, 1U);

  const ServiceModel& db = model.services.at("db");
  EXPECT_EQ(db.replicas, 2U);
  EXPECT_TRUE(db.has_healthcheck);
  EXPECT_TRUE(db.restarts);
  EXPECT_FALSE(db.one_shot) << "deploy's on-failure";
  EXPECT_TRUE(model.services.at("migrate").one_shot) << "awaited by api";

  EXPECT_EQ(model.services.at("migrate").lives_in, Names{"db"}) << "volumes_from: db:ro";
  EXPECT_FALSE(model.services.at("migrate").restarts);
  EXPECT_EQ(model.services.at("sidecar").lives_in, (Names{"api", "db"}));
  EXPECT_TRUE(model.services.at("sidecar").depends_on[0].restart) << "implied by network_mode";
  const ServiceModel& worker = model.services.at("worker");
  EXPECT_EQ(worker.replicas, 3U);
  EXPECT_FALSE(worker.has_healthcheck);
  EXPECT_EQ(worker.profiles, Names{"extra"});
}

/// The model of the golden answer, digests included: they must be equal on every machine.
TEST(StackModel, IsTheGoldenOne) {
  const std::string text = nlohmann::json::parse(serialize(model_of(config()))).dump(2) + "\n";
  testing::expect_file(testing::golden_path("compose/model.json"), text);
}

/// Members reversed at every level.
std::string reversed(const nlohmann::json& value) {
  if (!value.is_object() && !value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, member] : value.items()) {
    parts.push_back(value.is_object() ? nlohmann::json(key).dump() + " : " + reversed(member) : reversed(member));
  }
  if (value.is_object()) std::reverse(parts.begin(), parts.end());
  std::string text(1, value.is_object() ? '{' : '[');
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i > 0 ? ", " : " ") + parts[i];
  return text + (value.is_object() ? "}" : "]");
}

TEST(StackModel, KeyOrderIsNothing) {
  const auto model = parse_stack_model(reversed(config()), ModelSources{std::string(kStage)});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(serialize(*model), serialize(model_of(config())));
}

TEST(StackModel, DigestsSeeTheDefinition) {
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["environment"]["TOKEN"] = "other"; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["labels"]["team"] = "blue"; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"]["healthcheck"]["interval"] = "2s"; }), Names{"db"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"]["command"] = {"x"}; }), Names{"db"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["migrate"]["restart"] = "always"; }), Names{"migrate"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["volumes"][0]["target"] = "/other"; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) {
              c["services"]["db"]["deploy"]["resources"]["limits"] = {{"pids", 5}};
            }),
            Names{"db"});
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"]["init"] = true; }), Names{"db"});
}

TEST(StackModel, DigestsSeeWhatTheServiceUses) {
  EXPECT_EQ(changed_by([](auto& c) { c["networks"]["front"]["internal"] = true; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) { c["networks"]["default"]["name"] = "x"; }),
            (Names{"api", "db", "migrate", "worker"}));
  EXPECT_EQ(changed_by([](auto& c) { c["volumes"]["data"]["driver"] = "nfs"; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) { c["secrets"]["token"]["name"] = "x"; }), Names{"api"});
  EXPECT_EQ(changed_by([](auto& c) { c["configs"]["motd"]["content"] = "x"; }), Names{"api"});
}

TEST(StackModel, DigestsDoNotSeeWhatNeverReachesAContainer) {
  const Names none;
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["image"] = "veggies-api:2"; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["build"]["context"] = "/elsewhere"; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["pull_policy"] = "always"; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["depends_on"].erase("db"); }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["worker"]["scale"] = 7; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"]["deploy"]["replicas"] = 7; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["deploy"] = {{"replicas", 2}, {"resources", {}}}; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["worker"].erase("profiles"); }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["api"]["x-note"] = "y"; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"].erase("command"); }), none) << "null is absent";
  EXPECT_EQ(changed_by([](auto& c) { c["services"]["db"]["labels"][std::string(kServiceDigestLabel)] = "x"; }), none);
  EXPECT_EQ(changed_by([](auto& c) { c["x-common"] = 1; }), none);
}

TEST(StackModel, AMovedStageChangesTheServicesThatMountFromIt) {
  std::string moved = golden_text("config-2.26.json");
  for (std::size_t at = 0; (at = moved.find(kStage, at)) != std::string::npos;)
    moved.replace(at, kStage.size(), "/new/place");
  const auto model = parse_stack_model(moved, ModelSources{"/new/place/"});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(changed(model_of(config()), *model), Names{"api"});
  EXPECT_EQ(model->stage_directory, "/new/place/");
}

TEST(StackModel, ContentsOfConfigsAndSecretsCount) {
  const StackModel plain = model_of(config());
  const auto digest = [](std::string_view text) { return graph::sha256(text); };
  const Staged one = {{std::string(kStage) + "/secrets/token", digest("1")}};
  const Staged other = {{std::string(kStage) + "/secrets/token", digest("2")}};
  EXPECT_EQ(changed(plain, model_of(config(), one)), Names{"api"});
  EXPECT_EQ(changed(model_of(config(), one), model_of(config(), other)), Names{"api"});
  EXPECT_EQ(changed(model_of(config(), one), model_of(config(), {{"secrets/token", digest("1")}})), Names{})
      << "staged paths may be relative";
  EXPECT_EQ(changed(plain, model_of(config(), {{"conf/motd2", digest("1")}, {"conf/motd", digest("1")}})),
            Names{"api"});
  EXPECT_EQ(changed(plain, model_of(config(), {{"conf/motd2", digest("1")}, {"conf/other", digest("1")}})), Names{})
      << "bind-mounted files reach the running container";
}

TEST(StackModel, ContentsOfSeccompProfilesCount) {
  nlohmann::json document = config();
  document["services"]["api"]["security_opt"] = {"no-new-privileges:true", "seccomp=../conf/p.json"};
  const auto with = [&](std::string_view path, std::string_view text) {
    return *parse_stack_model(document.dump(),
                              {std::string(kStage), "docker", {{std::string(path), graph::sha256(text)}}});
  };
  EXPECT_EQ(changed(with("conf/p.json", "1"), with("conf/p.json", "2")), Names{"api"});
  EXPECT_EQ(changed(with("docker/conf/p.json", "1"), with("docker/conf/p.json", "2")), Names{});
}

TEST(StackModel, SecretsFromTheEnvironmentCountByTheirDigest) {
  nlohmann::json document = config();
  document["secrets"]["token"] = {{"name", "t"}, {"environment", "API_TOKEN"}};
  const StackModel one = model_of(document, {}, kStage, {{"API_TOKEN", "1"}});
  EXPECT_EQ(changed(one, model_of(document, {}, kStage, {{"API_TOKEN", "2"}})), Names{"api"});
  EXPECT_EQ(changed(one, model_of(document, {}, kStage, {{"API_TOKEN", "1"}, {"X", ""}})), Names{});
}

TEST(StackModel, ValuesAreNotKept) { EXPECT_EQ(serialize(model_of(config())).find("hunter2"), std::string::npos); }

TEST(StackModel, OtherSpellings) {
  const StackModel model = model_of(nlohmann::json::parse(R"({"services": {
    "a": {"image": "x", "depends_on": ["b", "c"], "ipc": "service:b", "network_mode": "host",
          "volumes_from": ["container:z", "c"], "healthcheck": {"test": ["NONE"]}},
    "b": {"build": {"context": "."}, "restart": "on-failure:3", "depends_on": {"c": {}}},
    "c": {"deploy": {"restart_policy": {"condition": "none"}}, "restart": "always"},
    "d": {"deploy": {"restart_policy": {"condition": "any"}}}}})"));
  EXPECT_EQ(model.services.at("a").lives_in, (Names{"b", "c"}));
  EXPECT_EQ(model.services.at("a").depends_on.size(), 2U);
  EXPECT_FALSE(model.services.at("a").has_healthcheck);
  EXPECT_EQ(model.services.at("b").image, "");
  EXPECT_TRUE(model.services.at("b").restarts);
  EXPECT_FALSE(model.services.at("b").one_shot) << "on-failure alone does not say that its purpose is to end";
  EXPECT_EQ(model.services.at("b").depends_on[0].condition, DependencyCondition::kStarted);
  EXPECT_FALSE(model.services.at("c").restarts) << "deploy wins, as in Compose";
  EXPECT_TRUE(model.services.at("c").one_shot) << "written out";
  EXPECT_FALSE(model.services.at("d").one_shot);
  EXPECT_TRUE(model_of(nlohmann::json::parse(R"({"services": null})")).services.empty());
}

TEST(StackModel, OneShotsAndGraces) {
  const StackModel model = model_of(nlohmann::json::parse(R"({"services": {
    "plain": {"image": "x"},
    "written": {"image": "x", "restart": "no", "stop_grace_period": "1m30.5s", "container_name": "mine"},
    "awaited": {"image": "x", "restart": "on-failure", "stop_grace_period": "500ms"},
    "waits": {"image": "x", "depends_on": {"awaited": {"condition": "service_completed_successfully"}},
              "stop_grace_period": "0s"}}})"));
  EXPECT_FALSE(model.services.at("plain").one_shot);
  EXPECT_TRUE(model.services.at("written").one_shot);
  EXPECT_TRUE(model.services.at("awaited").one_shot);
  EXPECT_FALSE(model.services.at("waits").one_shot);
  EXPECT_EQ(model.services.at("plain").stop_grace_s, std::nullopt);
  EXPECT_EQ(model.services.at("written").stop_grace_s, 91U);
  EXPECT_EQ(model.services.at("awaited").stop_grace_s, 1U) << "rounded up: no less than was asked for";
  EXPECT_EQ(model.services.at("waits").stop_grace_s, 0U);
  EXPECT_EQ(model.services.at("written").container_name, "mine");
  EXPECT_EQ(serialize(*parse_stored_stack_model(serialize(model))), serialize(model));
}

TEST(StackModel, WhatIsNoStackIsRefused) {
  for (const std::string_view text :
       {"", "time=\"…\" level=warning", "{", "[]", "{}", R"({"services": 3})", R"({"services": {"a": 1}})"}) {
    auto model = parse_stack_model(text, ModelSources{std::string(kStage)});
    ASSERT_FALSE(model.ok()) << text;
    EXPECT_EQ(model.error().code, ErrorCode::kComposeFailed);
    EXPECT_EQ(model.error().message.find("the answer of 'docker compose config' is no stack"), 0U);
    EXPECT_FALSE(model.error().hint.empty());
  }
}

TEST(StackModel, IsStoredAndRestored) {
  const StackModel model = model_of(config());
  const auto restored = parse_stored_stack_model(serialize(model));
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(serialize(*restored), serialize(model));
  EXPECT_EQ(restored->services.at("api").digest, model.services.at("api").digest);
  EXPECT_EQ(restored->services.at("api").depends_on[1].condition, DependencyCondition::kCompleted);
}

TEST(StackModel, DamagedStorageIsNoModel) {
  nlohmann::json stored = nlohmann::json::parse(serialize(model_of(config())));
  EXPECT_FALSE(parse_stored_stack_model(""));
  EXPECT_FALSE(parse_stored_stack_model("{}"));
  EXPECT_FALSE(parse_stored_stack_model("[1]"));
  const auto spoilt = [&](auto spoil) {
    nlohmann::json copy = stored;
    spoil(copy);
    return !parse_stored_stack_model(copy.dump());
  };
  EXPECT_TRUE(spoilt([](auto& s) { s["version"] = 99; }));
  EXPECT_TRUE(spoilt([](auto& s) { s["services"]["api"]["digest"] = "xyz"; }));
  EXPECT_TRUE(spoilt([](auto& s) { s["services"]["api"].erase("replicas"); }));
  EXPECT_TRUE(spoilt([](auto& s) { s["services"]["api"]["depends_on"][0][1] = 9; }));
  EXPECT_TRUE(spoilt([](auto& s) { s["services"]["api"]["lives_in"] = "db"; }));
  EXPECT_FALSE(spoilt([](auto&) {}));
}

TEST(ComposeOverride, PinsAndMarks) {
  EXPECT_EQ(compose_override({{"api", "veggies-api:00ff"}, {"w", "w:1"}},
                             {{"api", graph::Digest{}}, {"db", graph::Digest{}}}, "ann"),
            "services:\n"
            "  \"api\":\n    image: \"veggies-api:00ff\"\n    pull_policy: never\n    labels:\n"
            "      \"otto.service-digest\": \"0000000000000000000000000000000000000000000000000000000000000000\"\n"
            "      \"otto.account\": \"ann\"\n"
            "  \"db\":\n    labels:\n"
            "      \"otto.service-digest\": \"0000000000000000000000000000000000000000000000000000000000000000\"\n"
            "      \"otto.account\": \"ann\"\n"
            "  \"w\":\n    image: \"w:1\"\n    pull_policy: never\n");
  EXPECT_EQ(compose_override({}, {}, "ann"), "services: {}\n");
  EXPECT_EQ(compose_override({{"a\": {}\n", "x$y"}}, {}, "ann"),
            "services:\n  \"a\\\": {}\\n\":\n    image: \"x$$y\"\n    pull_policy: never\n");
}

}  // namespace
}  // namespace otto::stack
