#include "engine/compose/compose_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/compose/env_file.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

/// `outer` first, then a file's values.
Lookup with_file(Lookup outer, const std::map<std::string, std::string>& values) {
  return [outer = std::move(outer), values](std::string_view name) -> std::optional<std::string> {
    if (auto value = outer(name)) return value;
    const auto known = values.find(std::string(name));
    return known == values.end() ? std::nullopt : std::optional(known->second);
  };
}

/// Later definitions of a service win; what they leave open is the earlier one's.
void fill(ComposeService& made, const ComposeService& earlier) {
  if (made.image.empty()) {
    made.image = earlier.image;
    made.expanded_image = earlier.expanded_image;
  }
  if (!made.platform) made.platform = earlier.platform;
  if (!made.oneshot) made.oneshot = earlier.oneshot;
  ComposeService::Sources more = earlier.sources;
  made.sources.variables.merge(more.variables);
  made.sources.interpolated.merge(more.interpolated);
  made.sources.names_from_variables.merge(more.names_from_variables);
  made.sources.files.merge(more.files);
  made.sources.partial = made.sources.partial || more.partial;
  if (!earlier.build) return;
  if (!made.build) {
    made.build = earlier.build;
    return;
  }
  complete(*made.build, *earlier.build);
}

}  // namespace

Result<ComposeInputs> ComposeReader::run(const std::vector<fs::path>& files) {
  if (files.empty()) return make_error(ErrorCode::kConfig, "no compose file is given", "add [[docker.composes]]");
  Scope scope;
  scope.directory = project_ = normal_path(files.front()).parent_path();
  scope.lookup = [this](std::string_view name) -> std::optional<std::string> {
    const char* value = getenv_(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const fs::path dot_env = scope.directory / ".env";
  if (const auto text = read_whole_file(dot_env)) {
    OTTO_TRY(const auto values, parse_env_file(*text, dot_env.string(), scope.lookup));
    scope.lookup = with_file(scope.lookup, values);
  }
  std::vector<File> loaded;
  for (const fs::path& path : files) {
    if (!fs::exists(path)) {
      return make_error(ErrorCode::kConfig, fmt::format("compose file '{}' does not exist", path.string()),
                        "mend its path in [[docker.composes]]");
    }
    OTTO_TRY(File file, load(normal_path(path)));
    layout_.add(file.path, false, true, 0);
    loaded.push_back(std::move(file));
  }
  for (const File& file : loaded) OTTO_RETURN_IF_ERROR(read_file(file, scope));
  ComposeInputs inputs;
  OTTO_RETURN_IF_ERROR(layout_.finish(files, inputs));
  for (auto& [name, definition] : services_) inputs.services.push_back(std::move(definition.service));
  inputs.variables.assign(variables_.begin(), variables_.end());
  return inputs;
}

Result<ComposeReader::File> ComposeReader::load(const fs::path& path) {
  const auto text = read_whole_file(path);
  if (!text) {
    return make_error(ErrorCode::kConfig, fmt::format("compose file '{}' cannot be read", path.string()),
                      "check its permissions");
  }
  File file{path, path.string(), path.string(), {}};
  OTTO_TRY(yaml::Documents documents, yaml::load_documents(*text, file.name));
  file.documents = std::move(documents.roots);
  ComposeService* const reading = std::exchange(reading_, nullptr);  // the file's names are not all the service's
  for (const std::string& scalar : documents.scalars) {
    for (const std::string& name : interpolated_names(scalar)) take_name(name);
  }
  reading_ = reading;
  return file;
}

Result<void> ComposeReader::read_file(const File& file, const Scope& scope) {
  for (const YAML::Node& model : file.documents) {
    if (model.IsNull()) continue;
    OTTO_RETURN_IF_ERROR(read_model(file, model, scope));
  }
  return {};
}

Result<void> ComposeReader::read_model(const File& file, const YAML::Node& model, const Scope& scope) {
  if (!model.IsMap()) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: not a compose file", yaml::place(file.name, model)),
                      "a compose file is a map that holds 'services'");
  }
  OTTO_RETURN_IF_ERROR(read_includes(file, yaml::get(model, "include"), scope));
  OTTO_RETURN_IF_ERROR(read_services(file, yaml::get(model, "services"), scope));
  if (extent_ == Extent::kBuilds) return {};
  OTTO_RETURN_IF_ERROR(read_named_volumes(file, yaml::get(model, "volumes"), scope));
  OTTO_RETURN_IF_ERROR(read_file_sources(file, yaml::get(model, "configs"), "config file", scope));
  return read_file_sources(file, yaml::get(model, "secrets"), "secret file", scope);
}

Result<void> ComposeReader::read_services(const File& file, const YAML::Node& services, const Scope& scope) {
  if (!services.IsDefined() || services.IsNull()) return {};
  if (!services.IsMap()) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: 'services' is not a map", yaml::place(file.name, services)),
                      "write each service as NAME: {…}");
  }
  for (const auto& [name, service] : yaml::entries(services)) {
    const YAML::Node key = yaml::key_node(services, name);
    const std::string place = yaml::place(file.name, key);
    if (!service.IsMap()) {
      return make_error(ErrorCode::kConfig, fmt::format("{}: service '{}' is not a map", place, text::printable(name)),
                        "give it an image or a build section");
    }
    ComposeService made;
    made.name = name;
    made.line = yaml::line(key);
    const auto [known, is_new] = services_.emplace(name, Definition{{}, file.origin, place});
    if (!is_new && known->second.origin != file.origin) {
      return make_error(
          ErrorCode::kConfig,
          fmt::format("{}: service '{}' is defined already at {}", place, text::printable(name), known->second.place),
          "the compose files of one parent are one project: rename one of the two services");
    }
    extended_.clear();
    reading_ = &made;
    OTTO_RETURN_IF_ERROR(read_service(file, service, scope, made));
    reading_ = nullptr;
    if (!is_new) fill(made, known->second.service);
    if (made.build && made.build->context.empty()) made.build->context = scope.directory;  // Compose's default
    known->second.service = std::move(made);
  }
  return {};
}

Result<void> ComposeReader::read_service(const File& file, const YAML::Node& service, const Scope& scope,
                                         ComposeService& made) {
  OTTO_RETURN_IF_ERROR(read_image(file, service, scope, made));
  if (extent_ == Extent::kEverything) OTTO_RETURN_IF_ERROR(read_staged(file, service, scope));
  return read_extends(file, yaml::get(service, "extends"), scope, made);
}

/// What `made` does not have yet.
Result<void> ComposeReader::read_image(const File& file, const YAML::Node& service, const Scope& scope,
                                       ComposeService& made) {
  if (made.image.empty()) {
    made.image = yaml::text(yaml::get(service, "image"));
    auto expanded = interpolate(made.image, scope.lookup);
    if (expanded.ok()) made.expanded_image = std::move(*expanded);
  }
  if (!made.platform) {
    OTTO_TRY(made.platform, build_text(file, yaml::get(service, "platform"), "platform", scope));
  }
  OTTO_RETURN_IF_ERROR(read_own_words(file, yaml::get(service, "x-otto"), made));
  return read_build(file, service, scope, made);
}

/// `x-otto`, which is for otto alone: Compose passes such keys by, so nobody else would tell of a slip.
Result<void> ComposeReader::read_own_words(const File& file, const YAML::Node& words, ComposeService& made) {
  if (!words.IsDefined() || words.IsNull()) return {};
  if (!words.IsMap()) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: 'x-otto' is not a map", yaml::place(file.name, words)),
                      "write x-otto: {oneshot: true}");
  }
  for (const auto& [key, value] : yaml::entries(words)) {
    const std::string place = yaml::place(file.name, yaml::key_node(words, key));
    if (key != "oneshot") {
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: unknown key '{}' in 'x-otto'{}", place, text::printable(key),
                                    text::did_you_mean(key, std::vector<std::string>{"oneshot"})),
                        "x-otto knows 'oneshot'");
    }
    const std::string text = yaml::text(value);
    if (text != "true" && text != "false") {
      return make_error(
          ErrorCode::kConfig,
          fmt::format("{}: 'oneshot' is '{}', which is neither true nor false", place, text::printable(text)),
          "write oneshot: true for a service whose purpose is to exit 0");
    }
    if (!made.oneshot) made.oneshot = text == "true";
  }
  return {};
}

Result<void> ComposeReader::read_staged(const File& file, const YAML::Node& service, const Scope& scope) {
  take_interpolated(service);
  take_names(yaml::get(service, "environment"));
  const YAML::Node build = yaml::get(service, "build");
  if (build.IsDefined() && build.IsMap()) {
    ComposeService* const reading = std::exchange(reading_, nullptr);  // the image's, not the container's
    take_names(yaml::get(build, "args"));
    reading_ = reading;
  }
  OTTO_RETURN_IF_ERROR(read_env_files(file, yaml::get(service, "env_file"), scope));
  for (const YAML::Node& label_file : yaml::as_list(yaml::get(service, "label_file"))) {
    const Reference reference{label_file, yaml::text(label_file), "label_file"};
    OTTO_RETURN_IF_ERROR(stage(file, reference, false, Missing::kError, scope));
    OTTO_TRY(const auto local, resolve(file, reference, scope));
    if (local && reading_ != nullptr) reading_->sources.files.insert(*local);
  }
  OTTO_RETURN_IF_ERROR(read_security_opts(file, yaml::get(service, "security_opt"), scope));
  return read_volumes(file, yaml::get(service, "volumes"), scope);
}

/// A name that an environment can hold; others could not be set for Compose.
void ComposeReader::take_name(const std::string& name) {
  const auto known = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  const bool named =
      !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), known);
  if (!named) return;
  variables_.insert(name);
  if (reading_ != nullptr) reading_->sources.variables.insert(name);
}

/// The names that a service's texts interpolate, and under which keys. The file's names are known from its scalars
/// already.
void ComposeReader::take_interpolated(const YAML::Node& service) {
  if (reading_ == nullptr) return;
  for (const auto& [key, value] : yaml::entries(service)) {
    if (!reaches_container(key) || !take_interpolated_below(value)) continue;
    reading_->sources.interpolated.insert(key);
    if (has_variable_names(value)) reading_->sources.names_from_variables.insert(key);
  }
}

/// Whether a variable stands in what becomes the name of a member: a key, or an item up to its '='.
bool ComposeReader::has_variable_names(const YAML::Node& value) {
  const auto named = [](std::string_view text) { return !interpolated_names(std::string(text)).empty(); };
  for (std::size_t i = 0; value.IsSequence() && i < value.size(); ++i) {
    const std::string item = yaml::text(value[i]);
    if (named(item.substr(0, item.find('=')))) return true;
  }
  if (!value.IsMap()) return false;
  const auto members = yaml::entries(value);
  return std::ranges::any_of(members, [&](const auto& member) { return named(member.first); });
}

/// Whether any does. What aliases repeat beyond reason is not all looked at, and counts as if it did.
bool ComposeReader::take_interpolated_below(const YAML::Node& value) {
  constexpr std::size_t kMostNodes = 10'000;
  std::vector<YAML::Node> open = {value};
  bool any = false;
  for (std::size_t seen = 0; !open.empty(); ++seen) {
    if (seen == kMostNodes) return true;
    const YAML::Node node = open.back();
    open.pop_back();
    if (node.IsScalar()) {
      for (const std::string& name : interpolated_names(node.Scalar())) {
        take_name(name);
        any = true;
      }
    }
    for (std::size_t i = 0; node.IsSequence() && i < node.size(); ++i) open.push_back(node[i]);
    if (!node.IsMap()) continue;
    for (const auto& [key, below] : yaml::entries(node)) open.push_back(below);
  }
  return any;
}

/// Bare names of `environment` and `args` take their values from outside: `- NAME`, `NAME:`.
void ComposeReader::take_names(const YAML::Node& environment) {
  if (!environment.IsDefined()) return;
  if (environment.IsSequence()) {
    for (const YAML::Node& item : environment) {
      const std::string name = yaml::text(item);
      if (name.find('=') == std::string::npos) take_name(name);
    }
  } else {
    for (const auto& [name, value] : yaml::entries(environment)) {
      if (value.IsNull()) take_name(name);
    }
  }
}

Result<void> ComposeReader::read_env_files(const File& file, const YAML::Node& list, const Scope& scope) {
  for (const YAML::Node& item : yaml::as_list(list)) {
    const YAML::Node path = item.IsMap() ? yaml::get(item, "path") : item;
    const bool optional = item.IsMap() && yaml::text(yaml::get(item, "required")) == "false";
    const Reference reference{path, yaml::text(path), "env_file"};
    OTTO_RETURN_IF_ERROR(stage(file, reference, false, optional ? Missing::kOptional : Missing::kError, scope));
    OTTO_TRY(const auto local, resolve(file, reference, scope));
    if (local && reading_ != nullptr) reading_->sources.files.insert(*local);
    if (const auto text = local ? read_whole_file(*local) : std::nullopt) {
      for (const std::string& name : env_file_names(*text)) take_name(name);
    }
  }
  return {};
}

Result<void> ComposeReader::read_extends(const File& file, const YAML::Node& extends, const Scope& scope,
                                         ComposeService& made) {
  if (!extends.IsDefined() || extends.IsNull()) return {};
  const YAML::Node path = extends.IsMap() ? yaml::get(extends, "file") : YAML::Node(YAML::NodeType::Undefined);
  const std::string service = extends.IsMap() ? yaml::text(yaml::get(extends, "service")) : yaml::text(extends);
  if (!path.IsDefined()) return extend_from(file, service, extends, scope, made);
  OTTO_TRY(const auto local, compose_path(file, {path, yaml::text(path), "extended file"}, scope));
  if (!local) {
    made.sources.partial = true;
    return {};
  }
  OTTO_TRY(const File base, load(*local));
  layout_.add(base.path, false, true, yaml::line(path));
  Scope inner = scope;
  inner.directory = base.path.parent_path();
  return extend_from(base, service, path, inner, made);
}

Result<void> ComposeReader::extend_from(const File& file, const std::string& service, const YAML::Node& where,
                                        const Scope& scope, ComposeService& made) {
  if (!extended_.insert(fmt::format("{}\n{}", file.name, service)).second) return {};
  std::vector<std::string> names;
  for (const YAML::Node& model : file.documents) {
    const YAML::Node services = model.IsMap() ? yaml::get(model, "services") : model;
    for (const auto& [name, definition] : yaml::entries(services)) {
      if (name == service) return definition.IsMap() ? read_service(file, definition, scope, made) : Result<void>();
      names.push_back(name);
    }
  }
  return make_error(ErrorCode::kConfig,
                    fmt::format("{}: no service '{}' to extend, wanted by line {}{}", file.name,
                                text::printable(service), yaml::line(where), text::did_you_mean(service, names)),
                    fmt::format("its services are {}", text::join(names, ", ")));
}

Result<void> ComposeReader::read_includes(const File& file, const YAML::Node& list, const Scope& scope) {
  for (const YAML::Node& entry : yaml::as_list(list)) OTTO_RETURN_IF_ERROR(read_include(file, entry, scope));
  return {};
}

Result<void> ComposeReader::read_include(const File& file, const YAML::Node& entry, const Scope& scope) {
  const YAML::Node paths = entry.IsMap() ? yaml::get(entry, "path") : entry;
  std::vector<fs::path> files;
  for (const YAML::Node& path : yaml::as_list(paths)) {
    OTTO_TRY(const auto local, compose_path(file, {path, yaml::text(path), "included file"}, scope));
    if (!local) return {};
    layout_.add(*local, false, true, yaml::line(path));
    files.push_back(*local);
  }
  if (files.empty()) return {};
  OTTO_TRY(const Scope inner, include_scope(file, entry, files.front(), scope));
  for (const fs::path& path : files) {
    if (!included_.insert(fmt::format("{}\n{}", path.string(), inner.directory.string())).second) continue;
    OTTO_TRY(File included, load(path));
    included.origin = files.front().string();
    OTTO_RETURN_IF_ERROR(read_file(included, inner));
  }
  return {};
}

Result<ComposeReader::Scope> ComposeReader::include_scope(const File& file, const YAML::Node& entry,
                                                          const fs::path& first, const Scope& scope) {
  Scope inner{first.parent_path(), scope.lookup};
  std::vector<YAML::Node> env_files;
  if (entry.IsMap()) {
    const YAML::Node directory = yaml::get(entry, "project_directory");
    OTTO_TRY(const auto local, resolve(file, {directory, yaml::text(directory), "project_directory"}, scope));
    if (local) inner.directory = *local;
    env_files = yaml::as_list(yaml::get(entry, "env_file"));
  }
  std::map<std::string, std::string> values;  // of several files the last counts, and knows the others' variables
  const auto take = [&](const fs::path& path) -> Result<void> {
    const auto text = read_whole_file(path);
    if (!text) return {};
    OTTO_TRY(auto more, parse_env_file(*text, path.string(), with_file(scope.lookup, values)));
    for (const std::string& name : env_file_names(*text)) take_name(name);
    for (auto& [name, value] : more) values.insert_or_assign(name, std::move(value));
    return {};
  };
  for (const YAML::Node& item : env_files) {
    const Reference reference{item, yaml::text(item), "env_file"};
    OTTO_RETURN_IF_ERROR(stage(file, reference, false, Missing::kError, scope));
    OTTO_TRY(const auto local, resolve(file, reference, scope));
    if (local) OTTO_RETURN_IF_ERROR(take(*local));
  }
  const fs::path dot_env = inner.directory / ".env";
  if (env_files.empty() && fs::is_regular_file(dot_env)) {
    layout_.add(dot_env, false, false, yaml::line(entry));
    OTTO_RETURN_IF_ERROR(take(dot_env));
  }
  inner.lookup = with_file(scope.lookup, values);
  return inner;
}

}  // namespace otto::compose
