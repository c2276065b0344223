#include "engine/stack/stack_model.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/stack/service_digest.h"
#include "graph/base/text.h"

namespace otto::stack {
namespace {

namespace dom = simdjson::dom;

constexpr int kStoredVersion = 4;

std::string text_of(const dom::element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

bool flag_of(const dom::element& object, std::string_view key, bool otherwise) {
  bool value = otherwise;
  return object[key].get(value) == simdjson::SUCCESS ? value : otherwise;
}

/// The number that an integer or a string of digits holds.
std::optional<unsigned> number_of(const simdjson::simdjson_result<dom::element>& element) {
  std::int64_t value = 0;
  if (element.get(value) == simdjson::SUCCESS && value >= 0) return static_cast<unsigned>(value);
  return std::nullopt;
}

/// The members of an object, else nothing.
std::vector<std::pair<std::string, dom::element>> members(const simdjson::simdjson_result<dom::element>& element) {
  std::vector<std::pair<std::string, dom::element>> all;
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return all;
  for (const auto& [key, value] : object) all.emplace_back(std::string(key), value);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return all;
}

std::vector<dom::element> items(const simdjson::simdjson_result<dom::element>& element) {
  dom::array array;
  if (element.get(array) != simdjson::SUCCESS) return {};
  return {array.begin(), array.end()};
}

DependencyCondition condition_of(std::string_view text) {
  if (text == "service_healthy") return DependencyCondition::kHealthy;
  if (text == "service_completed_successfully") return DependencyCondition::kCompleted;
  return DependencyCondition::kStarted;
}

std::vector<Dependency> dependencies_of(const dom::element& service) {
  std::vector<Dependency> all;
  for (const auto& [name, value] : members(service["depends_on"])) {
    all.push_back({name, condition_of(text_of(value, "condition")), flag_of(value, "restart", false),
                   flag_of(value, "required", true)});
  }
  for (const dom::element& item : items(service["depends_on"])) {
    std::string_view name;
    if (item.get(name) == simdjson::SUCCESS) all.push_back({std::string(name)});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.service < b.service; });
  return all;
}

std::vector<std::string> lives_in(const dom::element& service) {
  static constexpr std::string_view kService = "service:";
  std::set<std::string> all;
  for (const std::string_view key : {"network_mode", "ipc", "pid"}) {
    const std::string mode = text_of(service, key);
    if (mode.substr(0, kService.size()) == kService) all.insert(mode.substr(kService.size()));
  }
  for (const dom::element& item : items(service["volumes_from"])) {
    std::string_view source;
    if (item.get(source) != simdjson::SUCCESS || source.substr(0, 10) == "container:") continue;
    all.emplace(source.substr(0, source.find(':')));
  }
  return {all.begin(), all.end()};
}

void read_restart(const dom::element& service, ServiceModel& model) {
  std::string policy = text_of(service, "restart");
  dom::element deployed;
  if (service["deploy"]["restart_policy"].get(deployed) == simdjson::SUCCESS && !deployed.is_null()) {
    policy = text_of(deployed, "condition");
  }
  model.restarts = !policy.empty() && policy != "no" && policy != "none";
  model.one_shot = policy == "no" || policy == "none";
}

/// Go's way of writing a time, "1m30.5s", in seconds rounded up (time.ParseDuration).
std::optional<unsigned> seconds_of(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {
      {{"ns", 1e-9}, {"us", 1e-6}, {"\u00b5s", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}}};
  double seconds = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
    const auto known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
    if (known == kUnits.end()) return std::nullopt;
    seconds += number * known->second;
    text.remove_prefix(unit.size());
  }
  constexpr double kDay = 86400;
  return static_cast<unsigned>(std::ceil(std::clamp(seconds, 0.0, kDay)));
}

/// A service that another awaits to complete is a one-shot whatever its restart policy.
void mark_awaited(std::map<std::string, ServiceModel>& services) {
  for (const auto& [name, service] : services) {
    for (const Dependency& dependency : service.depends_on) {
      const auto awaited = services.find(dependency.service);
      const bool completes = dependency.condition == DependencyCondition::kCompleted;
      if (completes && awaited != services.end()) awaited->second.one_shot = true;
    }
  }
}

bool has_healthcheck(const dom::element& service) {
  dom::element check;
  if (service["healthcheck"].get(check) != simdjson::SUCCESS || !check.is_object()) return false;
  if (flag_of(check, "disable", false)) return false;
  std::string_view first;
  return check["test"].at(0).get(first) != simdjson::SUCCESS || first != "NONE";
}

ServiceModel service_model(const std::string& name, const dom::element& service) {
  ServiceModel model;
  model.name = name;
  model.image = text_of(service, "image");
  model.depends_on = dependencies_of(service);
  model.lives_in = lives_in(service);
  const auto scale = number_of(service["scale"]);
  model.replicas = scale ? *scale : number_of(service["deploy"]["replicas"]).value_or(1);
  read_restart(service, model);
  model.has_healthcheck = has_healthcheck(service);
  if (const std::string grace = text_of(service, "stop_grace_period"); !grace.empty()) {
    model.stop_grace_s = seconds_of(grace);
  }
  model.container_name = text_of(service, "container_name");
  for (const dom::element& profile : items(service["profiles"])) {
    std::string_view text;
    if (profile.get(text) == simdjson::SUCCESS) model.profiles.emplace_back(text);
  }
  return model;
}

/// A service of a profile that is on is as one without profiles.
void settle_profiles(StackModel& model, const ModelSources& sources) {
  const auto value = sources.variables.find("COMPOSE_PROFILES");
  const std::vector<std::string> on =
      compose::active_profiles(value == sources.variables.end() ? std::string_view() : value->second);
  const auto is_on = [&](const std::string& profile) { return std::ranges::find(on, profile) != on.end(); };
  for (auto& [name, service] : model.services) {
    if (is_on("*") || std::ranges::any_of(service.profiles, is_on)) service.profiles.clear();
  }
}

/// Names on the engine of what the stack itself makes.
std::vector<std::string> own_names(const dom::element& document, std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& [key, definition] : members(document[kind])) {
    if (flag_of(definition, "external", false)) continue;
    const std::string name = text_of(definition, "name");
    names.push_back(name.empty() ? key : name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Error no_stack(std::string_view what) {
  return make_error(ErrorCode::kComposeFailed,
                    fmt::format("the answer of 'docker compose config' is no stack: {}", what),
                    "run it by hand on the parent to see what it prints");
}

nlohmann::json stored(const ServiceModel& service) {
  nlohmann::json depends = nlohmann::json::array();
  for (const Dependency& dependency : service.depends_on) {
    depends.push_back(
        {dependency.service, static_cast<int>(dependency.condition), dependency.restart, dependency.required});
  }
  return {{"image", service.image},
          {"digest", service.digest.hex()},
          {"depends_on", depends},
          {"lives_in", service.lives_in},
          {"replicas", service.replicas},
          {"restarts", service.restarts},
          {"one_shot", service.one_shot},
          {"stop_grace_s", service.stop_grace_s ? nlohmann::json(*service.stop_grace_s) : nlohmann::json()},
          {"container_name", service.container_name},
          {"has_healthcheck", service.has_healthcheck},
          {"profiles", service.profiles}};
}

ServiceModel restored(const std::string& name, const nlohmann::json& json) {
  ServiceModel service;
  service.name = name;
  service.image = json.at("image").get<std::string>();
  const auto digest = graph::Digest::from_hex(json.at("digest").get<std::string>());
  if (!digest) throw nlohmann::json::other_error::create(501, "digest", nullptr);
  service.digest = *digest;
  for (const nlohmann::json& dependency : json.at("depends_on")) {
    const int condition = dependency.at(1).get<int>();
    if (condition < 0 || condition > 2) throw nlohmann::json::other_error::create(501, "condition", nullptr);
    service.depends_on.push_back({dependency.at(0).get<std::string>(), static_cast<DependencyCondition>(condition),
                                  dependency.at(2).get<bool>(), dependency.at(3).get<bool>()});
  }
  service.lives_in = json.at("lives_in").get<std::vector<std::string>>();
  service.replicas = json.at("replicas").get<unsigned>();
  service.restarts = json.at("restarts").get<bool>();
  service.one_shot = json.at("one_shot").get<bool>();
  if (const nlohmann::json& grace = json.at("stop_grace_s"); !grace.is_null())
    service.stop_grace_s = grace.get<unsigned>();
  service.container_name = json.at("container_name").get<std::string>();
  service.has_healthcheck = json.at("has_healthcheck").get<bool>();
  service.profiles = json.at("profiles").get<std::vector<std::string>>();
  return service;
}

/// A YAML double-quoted scalar; dollars doubled, because Compose interpolates.
std::string yaml_quoted(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '$' ? 2 : 1, c);
  return nlohmann::json(doubled).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<StackModel> parse_stack_model(std::string_view config_json, const ModelSources& sources) {
  dom::parser parser;
  dom::element document;
  const simdjson::error_code failed = parser.parse(simdjson::padded_string(config_json)).get(document);
  if (failed != simdjson::SUCCESS) return no_stack(simdjson::error_message(failed));
  dom::element services;
  if (document["services"].get(services) != simdjson::SUCCESS || !(services.is_object() || services.is_null())) {
    return no_stack("it has no services");
  }
  StackModel model;
  model.stage_directory = sources.stage_directory;
  const ServiceDigester digester(document, sources);
  for (const auto& [name, service] : members(document["services"])) {
    if (!service.is_object()) return no_stack(fmt::format("service '{}' is no object", name));
    ServiceModel made = service_model(name, service);
    made.digest = digester.digest(service);
    made.definition = digester.definition(name, service);
    model.services.emplace(name, std::move(made));
  }
  mark_awaited(model.services);
  settle_profiles(model, sources);
  model.networks = own_names(document, "networks");
  model.volumes = own_names(document, "volumes");
  return model;
}

std::set<std::string> one_shots(const StackModel& model) {
  std::set<std::string> names;
  for (const auto& [name, service] : model.services) {
    if (service.one_shot) names.insert(name);
  }
  return names;
}

std::map<std::string, graph::Digest> digests(const StackModel& model) {
  std::map<std::string, graph::Digest> digests;
  for (const auto& [name, service] : model.services) digests[name] = service.digest;
  return digests;
}

std::string serialize(const StackModel& model) {
  nlohmann::json services = nlohmann::json::object();
  for (const auto& [name, service] : model.services) services[name] = stored(service);
  const nlohmann::json document = {{"version", kStoredVersion},
                                   {"services", services},
                                   {"networks", model.networks},
                                   {"volumes", model.volumes},
                                   {"stage_directory", model.stage_directory}};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<StackModel> parse_stored_stack_model(std::string_view bytes) {
  try {
    const nlohmann::json document = nlohmann::json::parse(bytes);
    if (document.at("version").get<int>() != kStoredVersion) return std::nullopt;
    StackModel model;
    for (const auto& [name, service] : document.at("services").items()) {
      model.services.emplace(name, restored(name, service));
    }
    model.networks = document.at("networks").get<std::vector<std::string>>();
    model.volumes = document.at("volumes").get<std::vector<std::string>>();
    model.stage_directory = document.at("stage_directory").get<std::string>();
    return model;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string compose_override(const std::map<std::string, std::string>& pins,
                             const std::map<std::string, graph::Digest>& digests, std::string_view account) {
  std::set<std::string> names;
  for (const auto& [name, image] : pins) names.insert(name);
  for (const auto& [name, digest] : digests) names.insert(name);
  std::string yaml = names.empty() ? "services: {}\n" : "services:\n";
  for (const std::string& name : names) {
    const std::string key = nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    yaml += fmt::format("  {}:\n", key);
    const auto pin = pins.find(name);
    if (pin != pins.end()) yaml += fmt::format("    image: {}\n    pull_policy: never\n", yaml_quoted(pin->second));
    const auto digest = digests.find(name);
    if (digest == digests.end()) continue;
    yaml += fmt::format("    labels:\n      \"{}\": \"{}\"\n      \"{}\": {}\n", kServiceDigestLabel,
                        digest->second.hex(), kAccountLabel, yaml_quoted(account));
  }
  return yaml;
}

}  // namespace otto::stack
