#include "tests/support/simulation/checkout.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/images/base_images.h"
#include "graph/base/text.h"
#include "otto/names.h"
#include "tests/support/simulation/compose_files.h"

namespace otto::simulation {

namespace {

using nlohmann::json;

struct ImagePlan {
  const char* name;
  const char* context;
  const char* upstream;  ///< empty: none
};
constexpr ImagePlan kImages[] = {
    {"base", "base", ""}, {"api", "app", "base"}, {"tool", "app", "api"}, {"side", "side", ""}};

const ImagePlan& plan_of(const std::string& image) {
  return *std::ranges::find(kImages, image, [](const ImagePlan& plan) { return std::string(plan.name); });
}

/// How Dockerfiles and compose files name an image of the project.
std::string own_name(const std::string& image) { return "veg-" + image; }

std::string text_of(std::uint64_t choice) { return fmt::format("v{}", choice % 3); }

}  // namespace

Checkout::Checkout(std::string root) : root_(std::move(root)) {
  const auto file = [&](const std::string& path, std::string content) { files_[path].content = std::move(content); };
  for (const char* folder : {"base", "app", "side"}) {
    file(std::string(folder) + "/main", "v0");
    file(std::string(folder) + "/notes", "v0");
    file(std::string(folder) + "/lib/one", "v0");
    Entry lib;
    lib.directory = true;
    lib.mode = 0755;
    files_[std::string(folder) + "/lib"] = lib;
  }
  for (const ImagePlan& image : kImages) {
    file(std::string("docker/") + image.name,
         "FROM " + (*image.upstream ? own_name(image.upstream) : "scratch") + "\nRUN v0");
  }
  file("api.env", "LEVEL=v0");
  settings_.root = root_;
  settings_.file = root_ + "/.otto/settings.toml";
  settings_.name = "veg";
  for (const ImagePlan& image : kImages) {
    config::ImageSettings settings;
    settings.name = image.name;
    settings.dockerfile = root_ + "/docker/" + image.name;
    settings.context = root_ + "/" + image.context;
    settings_.images.push_back(settings);
  }
  settings_.composes.push_back({root_ + "/compose.json", kHost, {}, {}});
  host_.id = kHost;
  host_.docker_capable = true;
}

workspace::Target Checkout::target() const { return {&settings_, &host_, {&settings_.composes.front()}}; }

Tree Checkout::files() const {
  Tree all = files_;
  all["compose.json"].content = compose_json();
  return all;
}

Tree Checkout::below(const std::string& folder) const {
  Tree tree;
  for (const auto& [path, entry] : files_) {
    if (path.starts_with(folder + "/")) tree[path.substr(folder.size() + 1)] = entry;
  }
  return tree;
}

graph::ContextManifest Checkout::manifest_of(const std::string& folder) const {
  graph::ContextManifest manifest;
  for (const auto& [path, file] : below(folder)) {
    graph::ContextEntry entry;
    entry.path = path;
    entry.type = file.directory ? graph::EntryType::kDirectory : graph::EntryType::kFile;
    entry.mode = file.mode;
    entry.size = file.content.size();
    if (!file.directory) entry.digest = graph::sha256(file.content);
    manifest.entries.push_back(std::move(entry));
  }
  return manifest;
}

std::string Checkout::content_of_image(const std::string& image) const {
  const ImagePlan& plan = plan_of(image);
  Recipe recipe;
  recipe.dockerfile = files_.at("docker/" + image).content;
  recipe.context = below(plan.context);
  if (*plan.upstream) recipe.upstreams.push_back(content_of_image(plan.upstream));
  return content_of(recipe);
}

Result<images::RepoInputs> Checkout::read_images(World& world, const std::vector<std::string>& names) const {
  std::set<std::string> wanted(names.begin(), names.end());
  if (names.empty()) {
    for (const ImagePlan& image : kImages) wanted.insert(image.name);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (const ImagePlan& image : kImages) {
      if (wanted.contains(image.name) && *image.upstream) grown = wanted.insert(image.upstream).second || grown;
    }
  }
  images::RepoInputs inputs;
  for (const ImagePlan& plan : kImages) {
    if (!wanted.contains(plan.name)) continue;
    const config::ImageSettings& settings =
        *std::ranges::find(settings_.images, plan.name, &config::ImageSettings::name);
    images::ImageInputs image;
    image.settings = &settings;
    image.dockerfile = files_.at(std::string("docker/") + plan.name).content;
    const auto node = inputs.graph.add(graph::NodeKind::kImage, plan.name);
    if (*plan.upstream) {
      image.upstreams.push_back({plan.upstream, {own_name(plan.upstream)}});
      inputs.graph.add_input(node, inputs.graph.add(graph::NodeKind::kImage, plan.upstream));
    }
    image.latest = docker::image_latest_tag(settings_.registry_url, settings_.name, plan.name);
    image.repository = image.latest.substr(0, image.latest.rfind(':'));
    auto known = std::ranges::find(inputs.contexts, plan.context, [](const auto& one) { return one->name; });
    if (known == inputs.contexts.end()) {
      auto context = std::make_unique<images::Context>();
      context->name = plan.context;
      context->stage_key = std::string("veg-") + plan.context;
      context->root = root_ + "/" + plan.context;
      context->scan.manifest = manifest_of(plan.context);
      context->hash = context->scan.manifest.hash();
      inputs.contexts.push_back(std::move(context));
      known = std::prev(inputs.contexts.end());
    }
    image.context = known->get();
    image.parts.add(graph::ComponentKind::kDockerfile, std::string("docker/") + plan.name, image.dockerfile);
    image.parts.add_digest(graph::ComponentKind::kContext, image.context->name, image.context->hash);
    inputs.images.push_back(std::move(image));
  }
  images::settle_bases(inputs, {});
  for (const images::ImageInputs& image : inputs.images) world.truths[image.hash] = content_of_image(image.name());
  return inputs;
}

const std::string& Checkout::compose_json() const {
  if (!compose_json_.empty()) return compose_json_;
  json services;
  services["db"] = {{"image", "db:1"}, {"healthcheck", {{"test", {"CMD", "true"}}}}};
  services["job"] = {{"image", "veg-side"}, {"x-exits", 0}, {"restart", "no"}};
  services["api"] = {{"image", "veg-api"},
                     {"env_file", {"api.env"}},
                     {"environment", {{"DEPTH", "${LEVEL}"}}},
                     {"depends_on", {{"db", {{"condition", "service_healthy"}}}}}};
  services["car"] = {{"image", "veg-side"}, {"network_mode", "service:api"}};
  services["web"] = {{"image", "veg-tool"},
                     {"scale", webs_},
                     {"environment", {{"MARK", mark_}}},
                     {"depends_on",
                      {{"api", {{"condition", "service_started"}, {"restart", restarts_}}},
                       {"job", {{"condition", "service_completed_successfully"}}}}}};
  if (has_extra_) services["extra"] = {{"image", "db:1"}};
  return compose_json_ = json{{"services", services}}.dump();
}

Result<stack::StackInputs> Checkout::read_stack() const {
  stack::StackInputs stack;
  stack.project = kProject;
  stack.files.files = {"compose.json"};
  stack.files.project_directory = ".";
  stack.files.variables = {"LEVEL"};
  stack.environment = {{"LEVEL", level_}};
  const json config = json::parse(compose_json());
  for (const auto& [name, definition] : config.at("services").items()) {
    compose::ComposeService service;
    service.name = name;
    service.image = definition.at("image").get<std::string>();
    service.expanded_image = service.image;
    stack.files.services.push_back(std::move(service));
  }
  const std::map<std::string, std::string> staged = {{"compose.json", compose_json()},
                                                     {"api.env", files_.at("api.env").content}};
  std::string all = level_;
  for (const auto& [name, content] : staged) {
    graph::ContextEntry entry;
    entry.path = name;
    entry.mode = 0644;
    entry.size = content.size();
    entry.digest = graph::sha256(content);
    all += entry.digest.hex();
    stack.staged[name] = entry.digest;
    stack.manifest.entries.push_back(std::move(entry));
    stack.sources[name] = root_ + "/" + name;
    stack.files.paths.push_back({root_ + "/" + name, name, false, true, 1});
  }
  std::ranges::sort(stack.manifest.entries, {}, [](const auto& entry) { return std::string(entry.path); });
  stack.digest = graph::sha256(all).hex();
  return stack;
}

std::optional<Entry> Checkout::read(const std::string& local_path) const {
  if (!local_path.starts_with(root_ + "/")) return std::nullopt;
  const std::string path = local_path.substr(root_.size() + 1);
  if (path == "compose.json") return Entry{.content = compose_json()};
  const auto found = files_.find(path);
  return found == files_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, Checkout::Wanted> Checkout::wanted() const {
  parent::ComposeStack call;
  call.files = {"compose.json"};
  call.variables = {"LEVEL"};
  call.environment = {{"LEVEL", level_}};
  Tree files;
  files["compose.json"].content = compose_json();
  files["api.env"] = files_.at("api.env");
  const auto config = config_of(call, files);
  std::map<std::string, Wanted> all;
  for (const auto& [name, service] : config->at("services").items()) {
    Wanted& wanted = all[name];
    wanted.definition = definition_of(service);
    const std::string image = service.at("image");
    if (image.starts_with("veg-")) wanted.image_name = image.substr(4);
    wanted.replicas = service.value("scale", 1U);
    wanted.one_shot = service.contains("x-exits");
    const std::string mode = service.value("network_mode", "");
    if (!mode.empty()) wanted.lives_in = mode.substr(mode.find(':') + 1);
    if (!service.contains("depends_on")) continue;
    for (const auto& [other, how] : service.at("depends_on").items()) {
      wanted.depends_on.push_back(other);
      if (how.value("restart", false)) wanted.restarts_with.push_back(other);
    }
  }
  return all;
}

unsigned Checkout::kinds() { return 13; }

std::string Checkout::edit(unsigned kind, std::uint64_t choice) {
  static constexpr const char* kFolders[] = {"base", "app", "side"};
  const std::string folder = kFolders[choice % 3];
  const std::string value = text_of(choice / 3);
  compose_json_.clear();
  switch (kind) {
    case 0: return files_[folder + "/main"].content = value, folder + "/main = " + value;
    case 1: return files_[folder + "/lib/one"].content = value, folder + "/lib/one = " + value;
    case 2: return files_[folder + "/notes"].content = value, folder + "/notes = " + value;
    case 3: {
      Entry& file = files_[folder + "/main"];
      file.mode = file.mode == 0644 ? 0755 : 0644;
      return fmt::format("chmod {:o} {}/main", file.mode, folder);
    }
    case 4: {
      Entry& lib = files_[folder + "/lib"];
      lib.mode = lib.mode == 0755 ? 0700 : 0755;
      return fmt::format("chmod {:o} {}/lib", lib.mode, folder);
    }
    case 5: {
      const std::string path = folder + "/more";
      if (files_.erase(path) > 0) return "rm " + path;
      return files_[path].content = value, path + " = " + value;
    }
    case 6: {
      const char* image = kImages[choice % std::size(kImages)].name;
      std::string& text = files_[std::string("docker/") + image].content;
      text = text.substr(0, text.find("RUN")) + (choice / 8 % 5 == 0 ? "RUN false" : "RUN " + value);
      return fmt::format("docker/{}: {}", image, text.substr(text.find("RUN")));
    }
    case 7: return files_["api.env"].content = "LEVEL=" + value, "api.env: " + value;
    case 8: return level_ = std::to_string(choice % 3), "LEVEL is " + level_;
    case 9: return webs_ = 1 + static_cast<unsigned>(choice % 3), fmt::format("{} of web", webs_);
    case 10: return restarts_ = !restarts_, fmt::format("web restarts with api: {}", restarts_);
    case 11: return has_extra_ = !has_extra_, fmt::format("service extra: {}", has_extra_);
    default: return mark_ = text_of(choice), "web's MARK is " + mark_;
  }
}

bool Checkout::has_a_broken_image() const {
  return std::ranges::any_of(kImages, [&](const ImagePlan& image) {
    return files_.at(std::string("docker/") + image.name).content.ends_with("RUN false");
  });
}

void Checkout::mend() {
  for (const ImagePlan& image : kImages) {
    std::string& text = files_[std::string("docker/") + image.name].content;
    if (text.ends_with("RUN false")) text = text.substr(0, text.find("RUN")) + "RUN v0";
  }
}

}  // namespace otto::simulation
