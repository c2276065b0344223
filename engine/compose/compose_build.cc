// The part of ComposeReader that reads `build:` sections: which image a service would have Compose build.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/compose/compose_reader.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 6> kRead = {"context", "dockerfile", "dockerfile_inline",
                                                   "args",    "target",     "platforms"};
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

/// `NAME: value` or `- NAME=value`; names without a value take it from outside, or are left out.
Result<void> ComposeReader::read_build_args(const File& file, const YAML::Node& args, const Scope& scope,
                                            ComposeBuild& build) {
  if (!args.IsDefined() || !(args.IsMap() || args.IsSequence())) return {};
  const auto bare = [&](const std::string& name) {
    if (auto value = scope.lookup(name)) build.args.emplace(name, *std::move(value));
  };
  if (args.IsSequence()) {
    for (const YAML::Node& item : args) {
      OTTO_TRY(const auto text, build_text(file, item, "build argument", scope));
      const std::size_t equals = text ? text->find('=') : std::string::npos;
      if (equals != std::string::npos) {
        build.args.emplace(text->substr(0, equals), text->substr(equals + 1));
      } else if (text) {
        bare(*text);
      }
    }
    return {};
  }
  for (const auto& [name, value] : yaml::entries(args)) {
    OTTO_TRY(const auto text, build_text(file, value, "build argument", scope));
    if (value.IsNull()) {
      bare(name);
    } else if (text) {
      build.args.emplace(name, *text);
    }
  }
  return {};
}

}  // namespace otto::compose
