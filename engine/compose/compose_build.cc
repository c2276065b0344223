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

void complete(ComposeBuild& made, const ComposeBuild& earlier) {
  if (made.place.empty()) made.place = earlier.place;
  if (made.context.empty()) made.context = earlier.context;
  if (!made.dockerfile) made.dockerfile = earlier.dockerfile;
  if (!made.dockerfile_inline) {
    made.dockerfile_inline = earlier.dockerfile_inline;
    made.dockerfile_inline_file = earlier.dockerfile_inline_file;
  }
  if (!made.target) made.target = earlier.target;
  if (!made.platform) made.platform = earlier.platform;
  for (const auto& [name, value] : earlier.args) {
    if (!made.unset_args.contains(name)) made.args.emplace(name, value);
  }
  for (const std::string& name : earlier.unset_args) {
    if (!made.args.contains(name)) made.unset_args.insert(name);
  }
  made.options.insert(earlier.options.begin(), earlier.options.end());
}

/// Completes what the service has: its own section is read before the one it extends.
Result<void> ComposeReader::read_build(const File& file, const YAML::Node& service, const Scope& scope,
                                       ComposeService& made) {
  const YAML::Node node = yaml::get(service, "build");
  if (!node.IsDefined() || node.IsNull()) return {};
  if (!made.build) made.build.emplace();
  ComposeBuild here;
  here.place = yaml::place(file.name, node);
  const bool wants_context = made.build->context.empty();
  if (node.IsScalar()) {
    if (wants_context) OTTO_RETURN_IF_ERROR(read_build_context(file, node, scope, here));
    complete(*made.build, here);
    return {};
  }
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
  if (wants_context) OTTO_RETURN_IF_ERROR(read_build_context(file, yaml::get(node, "context"), scope, here));
  OTTO_TRY(here.dockerfile, build_text(file, yaml::get(node, "dockerfile"), "dockerfile", scope));
  OTTO_TRY(here.dockerfile_inline, build_text(file, yaml::get(node, "dockerfile_inline"), "dockerfile_inline", scope));
  here.dockerfile_inline_file = file.name;
  OTTO_TRY(here.target, build_text(file, yaml::get(node, "target"), "target", scope));
  OTTO_RETURN_IF_ERROR(read_build_platform(file, yaml::get(node, "platforms"), scope, here));
  OTTO_RETURN_IF_ERROR(read_build_options(file, node, scope, here));
  OTTO_RETURN_IF_ERROR(read_build_args(file, yaml::get(node, "args"), scope, here));
  complete(*made.build, here);
  return {};
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

/// The same of what Compose reads into a string of any type; a plain scalar is what Compose makes of it.
Result<std::optional<std::string>> ComposeReader::typed_build_text(const File& file, const YAML::Node& node,
                                                                   std::string_view what, const Scope& scope) const {
  OTTO_TRY(auto text, build_text(file, node, what, scope));
  if (text && node.Scalar().find('$') == std::string::npos) text = yaml::typed_text(node);
  return text;
}

Result<void> ComposeReader::read_build_context(const File& file, const YAML::Node& node, const Scope& scope,
                                               ComposeBuild& build) {
  if (!node.IsDefined() || !node.IsScalar()) return {};
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
  if (!list.IsDefined() || !list.IsSequence() || list.size() == 0) return {};
  if (list.size() > 1) {
    return build_refused(yaml::place(file.name, list), "an image for several platforms cannot be kept by an engine",
                         "name one platform");
  }
  OTTO_TRY(build.platform, build_text(file, list[0], "platform", scope));
  return {};
}

Result<void> ComposeReader::read_build_options(const File& file, const YAML::Node& node, const Scope& scope,
                                               ComposeBuild& build) {
  for (const auto& [key, option] : {std::pair{"network", "network"}, std::pair{"shm_size", "shm-size"}}) {
    OTTO_TRY(auto text, typed_build_text(file, yaml::get(node, key), key, scope));
    if (text) build.options[{option, ""}] = *std::move(text);
  }
  OTTO_RETURN_IF_ERROR(read_build_labels(file, yaml::get(node, "labels"), scope, build));
  OTTO_RETURN_IF_ERROR(read_extra_hosts(file, yaml::get(node, "extra_hosts"), scope, build));
  return read_ulimits(file, yaml::get(node, "ulimits"), scope, build);
}

/// `NAME: value` or `- NAME=value`.
Result<void> ComposeReader::read_build_labels(const File& file, const YAML::Node& labels, const Scope& scope,
                                              ComposeBuild& build) {
  if (labels.IsMap()) {
    for (const auto& [name, value] : yaml::entries(labels)) {
      OTTO_TRY(auto text, typed_build_text(file, value, "label", scope));
      build.options[{"label", name}] = yaml::is_null(value) ? "" : text.value_or("");
    }
  } else if (labels.IsSequence()) {
    for (const YAML::Node& item : labels) {
      OTTO_TRY(const auto text, build_text(file, item, "label", scope));
      if (!text) continue;
      const std::size_t equals = text->find('=');
      build.options[{"label", text->substr(0, equals)}] = equals == std::string::npos ? "" : text->substr(equals + 1);
    }
  }
  return {};
}

/// `NAME: address`, `NAME: [address, …]`, `- NAME=address` or `- NAME:address`; a name may have several.
Result<void> ComposeReader::read_extra_hosts(const File& file, const YAML::Node& hosts, const Scope& scope,
                                             ComposeBuild& build) {
  const auto take = [&](const YAML::Node& node, const std::string& name, std::string address) -> Result<void> {
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    if (name.empty() || address.empty()) {
      return build_refused(yaml::place(file.name, node), "an extra host has no address", "write NAME=ADDRESS");
    }
    build.options[{"add-host", name + ":" + address}] = "";
    return {};
  };
  if (hosts.IsMap()) {
    for (const auto& [name, value] : yaml::entries(hosts)) {
      for (const YAML::Node& address : yaml::as_list(value)) {
        OTTO_TRY(const auto text, build_text(file, address, "extra host", scope));
        OTTO_RETURN_IF_ERROR(take(address, name, text.value_or("")));
      }
    }
  } else if (hosts.IsSequence()) {
    for (const YAML::Node& item : hosts) {
      OTTO_TRY(const auto text, build_text(file, item, "extra host", scope));
      if (!text) continue;
      const std::size_t end =
          std::min(text->find('='), text->find('=') == std::string::npos ? text->find(':') : text->size());
      OTTO_RETURN_IF_ERROR(take(item, text->substr(0, end), end >= text->size() ? "" : text->substr(end + 1)));
    }
  }
  return {};
}

/// `NAME: number` or `NAME: {soft: number, hard: number}`.
Result<void> ComposeReader::read_ulimits(const File& file, const YAML::Node& ulimits, const Scope& scope,
                                         ComposeBuild& build) {
  if (!ulimits.IsDefined() || !ulimits.IsMap()) return {};
  for (const auto& [name, value] : yaml::entries(ulimits)) {
    OTTO_TRY(auto one, typed_build_text(file, value, "ulimit", scope));
    if (!one) {
      OTTO_TRY(const auto soft, typed_build_text(file, yaml::get(value, "soft"), "ulimit", scope));
      OTTO_TRY(const auto hard, typed_build_text(file, yaml::get(value, "hard"), "ulimit", scope));
      if (!soft || !hard) {
        return build_refused(yaml::place(file.name, value),
                             fmt::format("the ulimit '{}' is no limit", text::printable(name)),
                             "write a number, or {soft: NUMBER, hard: NUMBER}");
      }
      one = *soft + ":" + *hard;
    }
    build.options[{"ulimit", name}] = *std::move(one);
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
      OTTO_TRY(auto text, typed_build_text(file, value, "build argument", scope));
      if (yaml::is_null(value)) {
        here[name] = scope.lookup(name);
      } else if (text) {
        here[name] = std::move(text);
      }
    }
  }
  for (auto& [name, value] : here) {
    if (value) {
      build.args.emplace(name, std::move(*value));
    } else {
      build.unset_args.insert(name);
    }
  }
  return {};
}

}  // namespace otto::compose
