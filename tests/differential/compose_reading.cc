// Prints how otto reads compose files, for comparison with Compose: one JSON document a line, for requests of the same
// kind: {"root", "files", "project", "env"}.
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/compose/compose_file.h"

namespace {

using nlohmann::json;
namespace compose = otto::compose;

json of_build(const compose::ComposeBuild& build) {
  json options = json::array();
  for (const auto& [option, value] : build.options) options.push_back({option.first, option.second, value});
  const auto text = [](const std::optional<std::string>& value) { return value ? json(*value) : json(); };
  return {{"context", build.context.string()},
          {"dockerfile", text(build.dockerfile)},
          {"dockerfile_inline", text(build.dockerfile_inline)},
          {"args", build.args},
          {"target", text(build.target)},
          {"platform", text(build.platform)},
          {"options", options}};
}

json read(const json& request) {
  const auto environment = request.at("env").get<std::map<std::string, std::string>>();
  std::vector<std::filesystem::path> files;
  for (const json& file : request.at("files")) files.emplace_back(file.get<std::string>());
  const auto inputs =
      compose::read_compose_files(request.at("root").get<std::string>(), files,
                                  request.at("project").get<std::string>(), [&](const char* name) -> const char* {
                                    const auto known = environment.find(name);
                                    return known == environment.end() ? nullptr : known->second.c_str();
                                  });
  if (!inputs.ok()) return {{"error", inputs.error().message}};
  json services = json::object(), paths = json::array();
  for (const compose::ComposeService& service : inputs->services) {
    json one = {{"image", service.expanded_image}, {"idle", service.idle}};
    if (service.build) one["build"] = of_build(*service.build);
    if (service.build_trouble) one["trouble"] = service.build_trouble->message;
    services[service.name] = std::move(one);
  }
  for (const compose::StagedPath& path : inputs->paths) {
    paths.push_back({{"path", path.local.string()}, {"bind", path.bind_mount}, {"required", path.required}});
  }
  return {{"services", services}, {"paths", paths}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << read(json::parse(line)).dump() << "\n" << std::flush;
  }
  return 0;
}
