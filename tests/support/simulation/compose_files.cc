#include "tests/support/simulation/compose_files.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/stack/stack_model.h"
#include "graph/base/text.h"

namespace otto::simulation {

namespace {

using nlohmann::json;

void put_in_variables(json& value, const parent::ComposeStack& stack) {
  if (value.is_string()) {
    std::string text = value.get<std::string>();
    for (const std::string& name : stack.variables) {
      const auto found = stack.environment.find(name);
      text =
          text::replace_all(std::move(text), "${" + name + "}", found == stack.environment.end() ? "" : found->second);
    }
    value = text;
  } else if (value.is_structured()) {
    for (json& member : value) put_in_variables(member, stack);
  }
}

}  // namespace

Error compose_error(const std::string& words) { return make_error(ErrorCode::kComposeFailed, words); }

std::string definition_of(nlohmann::json service) {
  for (const char* key : {"image", "depends_on", "scale"}) service.erase(key);
  return service.dump();
}

Result<json> config_of(const parent::ComposeStack& stack, const Tree& files) {
  const auto file = files.find(stack.files.front());
  if (file == files.end()) {
    return compose_error(
        fmt::format("open {}/{}: no such file or directory", stack.stage_directory, stack.files.front()));
  }
  json config = json::parse(file->second.content);
  put_in_variables(config, stack);
  for (json& service : config["services"]) {
    if (!service.contains("env_file")) continue;
    for (const json& name : service["env_file"]) {
      const auto env = files.find(name.get<std::string>());
      if (env == files.end()) return compose_error("env file " + name.get<std::string>() + " not found");
      for (const std::string& line : text::split(env->second.content, '\n')) {
        const std::size_t equals = line.find('=');
        if (equals != std::string::npos) service["environment"][line.substr(0, equals)] = line.substr(equals + 1);
      }
    }
    service.erase("env_file");
  }
  return config;
}

Result<json> staged_config(const World& world, const parent::ComposeStack& stack) {
  for (const auto& [key, stage] : world.stages) {
    if (stack.stage_directory.ends_with("/" + key + "/" + stage.tree)) return config_of(stack, stage.files);
  }
  return compose_error(
      fmt::format("open {}/{}: no such file or directory", stack.stage_directory, stack.files.front()));
}

Result<std::vector<ServiceDefinition>> definitions(const json& config, const std::string& override_yaml,
                                                   const std::vector<std::string>& wanted) {
  const YAML::Node over = YAML::Load(override_yaml);
  std::map<std::string, ServiceDefinition> all;
  for (const auto& [name, service] : config.at("services").items()) {
    ServiceDefinition made;
    made.name = name;
    made.image = service.value("image", "");
    if (const YAML::Node pinned = over["services"][name]; pinned) {
      if (pinned["image"]) made.image = pinned["image"].as<std::string>();
      if (const YAML::Node labels = pinned["labels"]; labels) {
        made.digest = labels[std::string(stack::kServiceDigestLabel)].as<std::string>();
        made.account = labels[std::string(stack::kAccountLabel)].as<std::string>();
      }
    }
    made.definition = definition_of(service);
    made.replicas = service.value("scale", 1U);
    if (service.contains("x-exits")) made.ends_with = service.at("x-exits").get<int>();
    made.has_check = service.contains("healthcheck");
    constexpr std::string_view kService = "service:";
    const std::string mode = service.value("network_mode", "");
    if (mode.starts_with(kService)) made.lives_in = mode.substr(kService.size());
    if (service.contains("depends_on")) {
      for (const auto& [other, how] : service.at("depends_on").items()) made.after.push_back(other);
    }
    if (!made.lives_in.empty()) made.after.push_back(made.lives_in);
    all.emplace(name, std::move(made));
  }
  for (const std::string& name : wanted) {
    if (!all.contains(name)) return compose_error("no such service: " + name);
  }
  std::vector<ServiceDefinition> sorted;
  std::set<std::string> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    const auto next = std::ranges::find_if(open, [&](const std::string& name) {
      return std::ranges::none_of(all.at(name).after, [&](const std::string& other) { return open.contains(other); });
    });
    if (next == open.end()) break;  // a circle, which otto refuses
    sorted.push_back(all.at(*next));
    open.erase(next);
  }
  return sorted;
}

}  // namespace otto::simulation
