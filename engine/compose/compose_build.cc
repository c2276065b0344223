// The part of ComposeReader that reads `build:` sections: which image a service would have Compose build.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "engine/compose/compose_reader.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 11> kRead = {
    "context", "dockerfile", "dockerfile_inline", "args",        "target", "platforms",
    "labels",  "network",    "shm_size",          "extra_hosts", "ulimits"};
/// How an image is built, not what it holds.
constexpr std::array<std::string_view, 6> kPassedOver = {"cache_from", "cache_to",   "no_cache",
                                                         "pull",       "provenance", "sbom"};

bool is_one_of(const auto& keys, std::string_view key) {
  return key.substr(0, 2) == "x-" || std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool is_remote_context(std::string_view text) {
  return text.find("://") != std::string_view::npos || text.substr(0, 4) == "git@" ||
         text.substr(0, 11) == "github.com/" || text.substr(0, 4) == "oci:";
}

Error build_refused(const std::string& place, std::string_view what, std::string hint) {
  return make_error(ErrorCode::kConfig, fmt::format("{}: {}", place, what), std::move(hint));
}

}  // namespace

/// Fills what `build` does not have yet: the service's own section is read before the one it extends.
Result<void> ComposeReader::read_build(const File& file, const YAML::Node& service, const Scope& scope,
                                       ComposeService& made) {
  const YAML::Node node = yaml::get(service, "build");
  if (!node.IsDefined() || node.IsNull()) return {};
  if (!made.build) made.build.emplace();
  ComposeBuild& build = *made.build;
  if (build.place.empty()) build.place = yaml::place(file.name, node);
  if (node.IsScalar()) return read_build_context(file, node, scope, build);
  if (!node.IsMap()) {
    return build_refused(yaml::place(file.name, node), "'build' is neither a path nor a map",
                         "write build: {context: PATH}");
  }
  for (const auto& [key, value] : yaml::entries(node)) {
    if (is_one_of(kRead, key) || is_one_of(kPassedOver, key) || value.IsNull()) continue;
    return build_refused(yaml::place(file.name, yaml::key_node(node, key)),
                         fmt::format("otto does not build with 'build.{}'", text::printable(key)),
                         "leave it out, or build the image by hand and name it with 'image'");
  }
  OTTO_RETURN_IF_ERROR(read_build_context(file, yaml::get(node, "context"), scope, build));
  if (!build.dockerfile) {
    OTTO_TRY(build.dockerfile, build_text(file, yaml::get(node, "dockerfile"), "dockerfile", scope));
  }
  if (!build.dockerfile_inline) {
    OTTO_TRY(build.dockerfile_inline,
             build_text(file, yaml::get(node, "dockerfile_inline"), "dockerfile_inline", scope));
    build.dockerfile_inline_file = file.name;
  }
  if (!build.target) {
    OTTO_TRY(build.target, build_text(file, yaml::get(node, "target"), "target", scope));
  }
  OTTO_RETURN_IF_ERROR(read_build_platform(file, yaml::get(node, "platforms"), scope, build));
  OTTO_RETURN_IF_ERROR(read_build_options(file, node, scope, build));
  return read_build_args(file, yaml::get(node, "args"), scope, build);
}

/// A scalar with its variables put in; unset ones are empty, as for Compose.
Result<std::optional<std::string>> ComposeReader::build_text(const File& file, const YAML::Node& node,
                                                             std::string_view what, const Scope& scope) const {
  if (!node.IsDefined() || !node.IsScalar()) return std::optional<std::string>();
  auto expanded = interpolate(node.Scalar(), scope.lookup);
  if (!expanded.ok()) {
    return build_refused(yaml::place(file.name, node),
                         fmt::format("{}: {}", what, text::printable(expanded.error().message)),
                         "set the variable in the environment or in .env");
  }
  return std::optional(std::move(*expanded));
}

Result<void> ComposeReader::read_build_context(const File& file, const YAML::Node& node, const Scope& scope,
                                               ComposeBuild& build) {
  if (!build.context.empty() || !node.IsDefined() || !node.IsScalar()) return {};
  const Reference reference{node, node.Scalar(), "build context"};
  OTTO_TRY(const std::string expanded, expand(file, reference, scope));
  OTTO_RETURN_IF_ERROR(check_set(file, reference, expanded));
  if (is_remote_context(expanded)) {
    return build_refused(yaml::place(file.name, node),
                         fmt::format("the build context '{}' is not on this machine", text::printable(expanded)),
                         "otto must read what an image is built from: clone it and name the folder");
  }
  // Compose reads contexts where it runs, so an absolute one is this machine's too.
  const fs::path path =
      expanded.substr(0, 1) == "/" ? normal_path(expanded) : *locate(expanded.empty() ? "." : expanded, scope);
  if (!fs::is_directory(path)) {
    return build_refused(yaml::place(file.name, node),
                         fmt::format("the build context '{}' does not exist", path.string()),
                         "relative paths begin at the directory of the compose file");
  }
  build.context = path;
  return {};
}

Result<void> ComposeReader::read_build_platform(const File& file, const YAML::Node& list, const Scope& scope,
                                                ComposeBuild& build) {
  if (build.platform || !list.IsDefined() || !list.IsSequence() || list.size() == 0) return {};
  if (list.size() > 1) {
    return build_refused(yaml::place(file.name, list), "an image for several platforms cannot be kept by an engine",
                         "name one platform");
  }
  OTTO_TRY(build.platform, build_text(file, list[0], "platform", scope));
  return {};
}

/// What the section has itself comes before what it extends, so an option that is there stays.
Result<void> ComposeReader::read_build_options(const File& file, const YAML::Node& node, const Scope& scope,
                                               ComposeBuild& build) {
  const auto take = [&](const char* option, const std::string& name, std::string value) {
    build.options.try_emplace({option, name}, std::move(value));
  };
  for (const auto& [key, option] : {std::pair{"network", "network"}, std::pair{"shm_size", "shm-size"}}) {
    OTTO_TRY(auto text, build_text(file, yaml::get(node, key), key, scope));
    if (text && !text->empty()) take(option, "", *std::move(text));
  }
  for (const auto& [key, option] : {std::pair{"labels", "label"}, std::pair{"extra_hosts", "add-host"}}) {
    const YAML::Node entries = yaml::get(node, key);
    if (!entries.IsDefined() || entries.IsNull()) continue;
    std::map<std::string, std::string> here;
    if (entries.IsMap()) {
      for (const auto& [name, value] : yaml::entries(entries)) {
        OTTO_TRY(auto text, build_text(file, value, key, scope));
        const bool typed = value.IsScalar() && value.Scalar().find('$') == std::string::npos;
        here[name] = yaml::is_null(value) ? "" : typed ? yaml::typed_text(value) : text.value_or("");
      }
    }
    for (const YAML::Node& item : entries.IsSequence() ? entries : YAML::Node(YAML::NodeType::Sequence)) {
      OTTO_TRY(const auto text, build_text(file, item, key, scope));
      if (!text) continue;
      std::size_t end = text->find('=');
      if (end == std::string::npos && option == std::string_view("add-host")) end = text->find(':');
      here[text->substr(0, end)] = end == std::string::npos ? "" : text->substr(end + 1);
    }
    for (auto& [name, value] : here) take(option, name, std::move(value));
  }
  return read_ulimits(file, yaml::get(node, "ulimits"), scope, build);
}

/// `NAME: number` or `NAME: {soft: number, hard: number}`.
Result<void> ComposeReader::read_ulimits(const File& file, const YAML::Node& ulimits, const Scope& scope,
                                         ComposeBuild& build) {
  if (!ulimits.IsDefined() || !ulimits.IsMap()) return {};
  for (const auto& [name, value] : yaml::entries(ulimits)) {
    OTTO_TRY(auto one, build_text(file, value, "ulimit", scope));
    if (!one) {
      OTTO_TRY(const auto soft, build_text(file, yaml::get(value, "soft"), "ulimit", scope));
      OTTO_TRY(const auto hard, build_text(file, yaml::get(value, "hard"), "ulimit", scope));
      if (!soft || !hard) {
        return build_refused(yaml::place(file.name, value),
                             fmt::format("the ulimit '{}' is no limit", text::printable(name)),
                             "write a number, or {soft: NUMBER, hard: NUMBER}");
      }
      one = *soft + ":" + *hard;
    }
    build.options.try_emplace({"ulimit", name}, *std::move(one));
  }
  return {};
}

/// `NAME: value` or `- NAME=value`, of which the last counts; names without a value take it from outside, or have none.
Result<void> ComposeReader::read_build_args(const File& file, const YAML::Node& args, const Scope& scope,
                                            ComposeBuild& build) {
  if (!args.IsDefined() || !(args.IsMap() || args.IsSequence())) return {};
  std::map<std::string, std::optional<std::string>> here;
  if (args.IsSequence()) {
    for (const YAML::Node& item : args) {
      OTTO_TRY(const auto text, build_text(file, item, "build argument", scope));
      if (!text) continue;
      const std::size_t equals = text->find('=');
      const bool bare = equals == std::string::npos;
      here[text->substr(0, equals)] = bare ? scope.lookup(*text) : text->substr(equals + 1);
    }
  } else {
    for (const auto& [name, value] : yaml::entries(args)) {
      OTTO_TRY(auto text, build_text(file, value, "build argument", scope));
      if (yaml::is_null(value)) {
        here[name] = scope.lookup(name);
      } else if (text) {
        here[name] = value.Scalar().find('$') == std::string::npos ? yaml::typed_text(value) : std::move(*text);
      }
    }
  }
  for (auto& [name, value] : here) {
    if (build.args.contains(name) || build.unset_args.contains(name)) continue;
    if (value) {
      build.args.emplace(name, std::move(*value));
    } else {
      build.unset_args.insert(name);
    }
  }
  return {};
}

}  // namespace otto::compose
