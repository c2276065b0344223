#include "engine/compose/compose_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/compose/env_file.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

/// Whether a variable stands in it or below it.
bool is_interpolated(const Node& node) {
  if (node.is_scalar()) return node.written.find('$') != std::string::npos && !interpolated_names(node.written).empty();
  const auto named = [](const Node::Member& member) {
    return !interpolated_names(member.key).empty() || is_interpolated(member.value);
  };
  return std::ranges::any_of(node.items, is_interpolated) || std::ranges::any_of(node.members, named);
}

/// Whether a variable stands in what becomes the name of a member: a key, or an item up to its '='.
bool has_variable_names(const Node& node) {
  const auto named = [](std::string_view text) { return !interpolated_names(text).empty(); };
  const auto item_is = [&](const Node& item) { return named(item.written.substr(0, item.written.find('='))); };
  return std::ranges::any_of(node.items, item_is) ||
         std::ranges::any_of(node.members, [&](const Node::Member& member) { return named(member.key); });
}

/// A name that an environment can hold; others could not be set for Compose.
bool can_be_set(const std::string& name) {
  const auto known = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, known);
}

}  // namespace

Result<ComposeInputs> ComposeReader::run(const std::vector<fs::path>& files, const std::vector<std::string>& named) {
  for (const std::string& service : named) take_named(service);
  for (const fs::path& path : files) layout_.add(normal_path(path), false, true, 0);
  for (const Model::ReadFile& file : model_.read) layout_.add(file.path, false, file.required, file.line);
  for (const std::string& name : model_.variables) take_name(name, nullptr);
  const auto profiles = model_.scope.lookup("COMPOSE_PROFILES");
  if (profiles) take_name("COMPOSE_PROFILES", nullptr);
  for (std::string& profile : active_profiles(profiles.value_or(""))) active_profiles_.insert(std::move(profile));
  for (const Node::Member& service : model_.root.get("services").members) {
    if (service.value.is_map()) OTTO_RETURN_IF_ERROR(read_service(service));
  }
  if (extent_ == Extent::kEverything) {
    OTTO_RETURN_IF_ERROR(read_named_volumes(model_.root.get("volumes")));
    OTTO_RETURN_IF_ERROR(read_file_sources(model_.root.get("configs"), "configs", "config file"));
    OTTO_RETURN_IF_ERROR(read_file_sources(model_.root.get("secrets"), "secrets", "secret file"));
  }
  ComposeInputs inputs;
  OTTO_RETURN_IF_ERROR(layout_.finish(files, inputs));
  std::ranges::sort(services_, {}, &ComposeService::name);
  inputs.services = std::move(services_);
  inputs.variables.assign(variables_.begin(), variables_.end());
  for (const std::string& name : inputs.variables) {
    if (auto value = model_.scope.lookup(name)) inputs.environment.emplace(name, *std::move(value));
  }
  if (!inputs.home_directory.empty() && inputs.environment.contains("HOME")) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: the stack uses both '~' and ${{HOME}}, and Compose on the parent has one home",
                                  files.front().string()),
                      "'~' is this machine's home, brought along; write ${HOME} as a path of the parent instead");
  }
  return inputs;
}

void ComposeReader::take_named(const std::string& service) {
  if (!named_.insert(service).second) return;
  const Node& needed = model_.root.get("services").get(service).get("depends_on");
  for (const Node& item : needed.items) take_named(item.text);
  for (const Node::Member& member : needed.members) take_named(member.key);
}

Result<void> ComposeReader::read_service(const Node::Member& service) {
  const Node& node = service.value;
  ComposeService made;
  made.name = service.key;
  made.line = service.line;
  made.image = node.get("image").written;
  made.expanded_image = node.get("image").text;
  const std::vector<const Node*> profiles = node.get("profiles").as_list();
  const auto is_on = [&](const Node* profile) {
    return active_profiles_.contains(profile->text) || active_profiles_.contains("*");
  };
  made.idle = is_idle_ = !profiles.empty() && !named_.contains(service.key) && std::ranges::none_of(profiles, is_on);
  made.sources.partial = node.partial;
  OTTO_RETURN_IF_ERROR(read_own_words(node.get("x-otto"), made));
  if (!node.get("build").is_nothing()) {
    auto build = read_build(node, paths_, model_);
    if (build.ok()) {
      made.build = *std::move(build);
    } else {
      made.build_trouble = std::move(build).error();
    }
  }
  if (extent_ == Extent::kEverything) OTTO_RETURN_IF_ERROR(read_staged(node, made));
  services_.push_back(std::move(made));
  return {};
}

/// `x-otto`, which is for otto alone: Compose passes such keys by, so nobody else would tell of a slip.
Result<void> ComposeReader::read_own_words(const Node& words, ComposeService& made) {
  if (words.is_nothing()) return {};
  if (!words.is_map()) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: 'x-otto' is not a map", words.place()),
                      "write x-otto: {oneshot: true}");
  }
  for (const Node::Member& word : words.members) {
    if (word.key != "oneshot") {
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: unknown key '{}' in 'x-otto'{}", word.place(), text::printable(word.key),
                                    text::did_you_mean(word.key, std::vector<std::string>{"oneshot"})),
                        "x-otto knows 'oneshot'");
    }
    if (word.value.truth(true) != word.value.truth(false)) {
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: 'oneshot' is '{}', which is neither true nor false", word.place(),
                                    text::printable(word.value.text)),
                        "write oneshot: true for a service whose purpose is to exit 0");
    }
    made.oneshot = word.value.truth(false);
  }
  return {};
}

Result<void> ComposeReader::read_staged(const Node& service, ComposeService& made) {
  if (!is_idle_) take_uses(service);
  take_interpolated(service, made.sources);
  take_bare_names(service.get("environment"), &made.sources);
  take_bare_names(service.get("build").get("args"), nullptr);  // the image's, not the container's
  OTTO_RETURN_IF_ERROR(read_env_files(service.get("env_file"), made));
  OTTO_RETURN_IF_ERROR(read_label_files(service.get("label_file"), made));
  OTTO_RETURN_IF_ERROR(read_security_opts(service.get("security_opt")));
  for (const Node& volume : service.get("volumes").items) OTTO_RETURN_IF_ERROR(read_volume(volume));
  return {};
}

Result<void> ComposeReader::read_env_files(const Node& list, ComposeService& made) {
  for (const Node* item : list.as_list()) {
    const PathReference path{item->is_map() ? item->get("path") : *item, "env_file"};
    const bool optional = item->is_map() && !item->get("required").truth(true);
    made.has_env_file = true;
    OTTO_RETURN_IF_ERROR(stage(path, false, optional ? Missing::kOptional : Missing::kError));
    const auto local = paths_.resolve(path);
    if (!local.ok() || !*local) continue;
    made.sources.files.insert(**local);
    if (const auto text = read_whole_file(**local)) {
      for (const std::string& name : env_file_names(*text)) take_name(name, &made.sources);
    }
  }
  return {};
}

Result<void> ComposeReader::read_label_files(const Node& list, ComposeService& made) {
  for (const Node* item : list.as_list()) {
    const PathReference path{*item, "label_file"};
    OTTO_RETURN_IF_ERROR(stage(path, false, Missing::kError));
    const auto local = paths_.resolve(path);
    if (local.ok() && *local) made.sources.files.insert(**local);
  }
  return {};
}

// --- variables ---

/// Names without a value, which is then taken from outside.
void ComposeReader::take_bare_names(const Node& environment, ComposeService::Sources* sources) {
  for (const Node& item : environment.items) {
    if (item.text.find('=') == std::string::npos) take_name(item.text, sources);
  }
  for (const Node::Member& member : environment.members) {
    if (member.value.is_nothing()) take_name(member.key, sources);
  }
}

/// The names that a service's texts interpolate, and under which keys.
void ComposeReader::take_interpolated(const Node& service, ComposeService::Sources& sources) {
  for (const Node::Member& member : service.members) {
    if (!reaches_container(member.key) || !is_interpolated(member.value)) continue;
    sources.interpolated.insert(member.key);
    if (has_variable_names(member.value)) sources.names_from_variables.insert(member.key);
    std::set<std::string> names;
    collect_variables(member.value, names);
    for (const std::string& name : names) take_name(name, &sources);
  }
}

void ComposeReader::take_name(const std::string& name, ComposeService::Sources* sources) {
  if (!can_be_set(name)) return;
  variables_.insert(name);
  if (sources != nullptr) sources->variables.insert(name);
}

}  // namespace otto::compose
