// A service's `build:` section: the image that Compose would build for it.
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

constexpr auto kRead = std::to_array<std::string_view>(
    {"context", "dockerfile", "dockerfile_inline", "args", "target", "platforms", "labels", "network", "shm_size",
     "extra_hosts", "ulimits", "tags", "secrets", "cache_from", "no_cache", "pull", "additional_contexts"});
/// Of which an engine that keeps its images itself makes nothing.
constexpr auto kPassedOver = std::to_array<std::string_view>({"cache_to", "provenance", "sbom"});

bool is_one_of(const auto& keys, std::string_view key) {
  return key.starts_with("x-") || std::ranges::find(keys, key) != keys.end();
}

bool is_remote_context(std::string_view text) { return is_remote(text) || text.starts_with("github.com/"); }

Error build_refused(const std::string& place, std::string_view what, std::string hint) {
  return make_error(ErrorCode::kConfig, fmt::format("{}: {}", place, what), std::move(hint));
}

/// A scalar that says something; an empty one is as none.
std::optional<std::string> text_of(const Node& node) {
  return node.is_scalar() && !node.text.empty() ? std::optional(node.text) : std::nullopt;
}

/// `NAME=value` items, or a map: names, and their values where they have one. Of a name that is there twice the last
/// counts.
std::map<std::string, std::optional<std::string>> named_values(const Node& node) {
  std::map<std::string, std::optional<std::string>> all;
  for (const Node& item : node.items) {
    const std::size_t equals = item.text.find('=');
    all[item.text.substr(0, equals)] =
        equals == std::string::npos ? std::nullopt : std::optional(item.text.substr(equals + 1));
  }
  for (const Node::Member& member : node.members) {
    all[member.key] = member.value.is_nothing() ? std::nullopt : std::optional(member.value.typed_text());
  }
  return all;
}

class BuildReader {
 public:
  BuildReader(const Paths& paths, const Model& model) : paths_(paths), model_(model) {}

  Result<ComposeBuild> operator()(const Node& service) {
    const Node& node = service.get("build");
    made_.place = node.place();
    made_.context = service.scope->directory;
    made_.platform = text_of(service.get("platform"));
    if (node.is_scalar()) {
      OTTO_RETURN_IF_ERROR(read_context(node));
      return std::move(made_);
    }
    if (!node.is_map()) {
      return build_refused(node.place(), "'build' is neither a path nor a map", "write build: {context: PATH}");
    }
    OTTO_RETURN_IF_ERROR(check_keys(node));
    if (!node.get("context").is_nothing()) OTTO_RETURN_IF_ERROR(read_context(node.get("context")));
    made_.dockerfile = text_of(node.get("dockerfile"));
    made_.dockerfile_inline = text_of(node.get("dockerfile_inline"));
    if (const Node& text = node.get("dockerfile_inline"); text.file != nullptr) {
      made_.dockerfile_inline_file = *text.file;
    }
    made_.target = text_of(node.get("target"));
    OTTO_RETURN_IF_ERROR(read_platform(node.get("platforms")));
    read_args(node.get("args"));
    OTTO_RETURN_IF_ERROR(read_options(node));
    read_hints(node);
    OTTO_RETURN_IF_ERROR(read_contexts(node.get("additional_contexts")));
    OTTO_RETURN_IF_ERROR(read_secrets(node.get("secrets")));
    return std::move(made_);
  }

 private:
  static Result<void> check_keys(const Node& node) {
    for (const Node::Member& member : node.members) {
      const Node& value = member.value;
      const bool is_empty = value.is_nothing() || ((value.is_map() || value.is_sequence()) && value.as_list().empty() &&
                                                   value.members.empty());
      const bool says_nothing =
          (member.key == "privileged" && !value.truth(true)) || (member.key == "isolation" && value.text == "default");
      if (says_nothing) continue;
      if (is_one_of(kRead, member.key) || is_one_of(kPassedOver, member.key) || is_empty) continue;
      return build_refused(member.place(),
                           fmt::format("otto does not build with 'build.{}'", text::printable(member.key)),
                           "leave it out, or build the image by hand and name it with 'image'");
    }
    return {};
  }

  Result<void> read_context(const Node& node) {
    const PathReference path{node, "build context"};
    OTTO_TRY(const std::string expanded, Paths::expand(path));
    OTTO_RETURN_IF_ERROR(Paths::check_set(path, expanded));
    if (is_remote_context(expanded)) {
      return build_refused(node.place(),
                           fmt::format("the build context '{}' is not on this machine", text::printable(node.written)),
                           "otto must read what an image is built from: clone it and name the folder");
    }
    // Compose reads contexts where it runs, so an absolute one is this machine's too.
    made_.context = expanded.starts_with('/')
                        ? normal_path(expanded)
                        : *paths_.locate(expanded.empty() ? "." : expanded, node.scope->directory);
    if (fs::is_directory(made_.context)) return {};
    return build_refused(node.place(), fmt::format("the build context '{}' does not exist", made_.context.string()),
                         "relative paths begin at the directory of the compose file");
  }

  Result<void> read_platform(const Node& list) {
    if (list.items.empty()) return {};
    const auto other = [&](const Node& platform) { return platform.text != list.items.front().text; };
    if (std::ranges::any_of(list.items, other)) {
      return build_refused(list.place(), "an image for several platforms cannot be kept by an engine",
                           "name one platform");
    }
    made_.platform = text_of(list.items.front());
    return {};
  }

  /// Names without a value take it from outside (not from what an include is given), or have none.
  void read_args(const Node& args) {
    for (auto& [name, value] : named_values(args)) {
      if (!value) value = model_.scope.lookup(name);
      if (value) made_.args.emplace(name, *std::move(value));
    }
  }

  Result<void> read_options(const Node& node) {
    for (const auto& [key, option] : {std::pair{"network", "network"}, std::pair{"shm_size", "shm-size"}}) {
      const Node& value = node.get(key);
      if (text_of(value)) made_.options[{option, ""}] = value.typed_text();
    }
    for (auto& [name, value] : named_values(node.get("labels"))) {
      made_.options[{"label", name}] = std::move(value).value_or("");
    }
    for (const Node& tag : node.get("tags").items) made_.options[{"tag", tag.text}] = "";
    OTTO_RETURN_IF_ERROR(read_extra_hosts(node.get("extra_hosts")));
    return read_ulimits(node.get("ulimits"));
  }

  void read_hints(const Node& node) {
    for (const Node* source : node.get("cache_from").as_list()) made_.hints.emplace_back("cache-from", source->text);
    for (const auto& [key, option] : {std::pair{"no_cache", "no-cache"}, std::pair{"pull", "pull"}}) {
      if (node.get(key).typed_text() == "true") made_.hints.emplace_back(option, "");
    }
  }

  /// `NAME: docker-image://REFERENCE` or `NAME: URL`, which the builder fetches itself.
  Result<void> read_contexts(const Node& contexts) {
    for (auto& [name, value] : named_values(contexts)) {
      const std::size_t host = value ? value->find("://") : std::string::npos;
      const bool has_login =
          host != std::string::npos &&
          value->substr(host + 3, value->find('/', host + 3) - host - 3).find('@') != std::string::npos;
      if (has_login) {
        return build_refused(
            contexts.place(),
            fmt::format("the URL of the additional context '{}' holds a user or password", text::printable(name)),
            "it would stand in the parent's list of processes: fetch it here, below the build context");
      }
      if (host != std::string::npos && !value->starts_with("oci-layout://")) {
        made_.options[{"build-context", name}] = *std::move(value);
        continue;
      }
      return build_refused(contexts.place(),
                           fmt::format("the additional context '{}' is no image and no URL", text::printable(name)),
                           "otto sends one folder for each image: move what is needed below the build context, or "
                           "build an image of it and name that with docker-image://");
    }
    return {};
  }

  /// `- NAME` or `- {source: NAME, target: ID}`, of the stack's own secrets.
  Result<void> read_secrets(const Node& list) {
    for (const Node& item : list.items) {
      const std::string name = item.is_map() ? item.get("source").text : item.text;
      const std::string target = item.is_map() ? item.get("target").text : "";
      const Node& secrets = model_.root.get("secrets");
      const Node& secret = secrets.get(name);
      if (!secret.is_map()) {
        std::vector<std::string> names;
        for (const Node::Member& known : secrets.members) names.push_back(known.key);
        return build_refused(
            item.place(),
            fmt::format("there is no secret '{}'{}", text::printable(name), text::did_you_mean(name, names)),
            "declare it under the top-level 'secrets', with 'file' or 'environment'");
      }
      config::BuildSecret made;
      if (const Node& variable = secret.get("environment"); !variable.is_nothing()) {
        const auto value = model_.scope.lookup(variable.text);
        if (!value) {
          return build_refused(variable.place(),
                               fmt::format("the secret '{}' needs the variable '{}', which is not set",
                                           text::printable(name), text::printable(variable.text)),
                               "set it in the environment or in .env");
        }
        made.value = *value;
      } else if (const Node& file = secret.get("file"); !file.is_nothing()) {
        const PathReference path{file, "secret file"};
        OTTO_TRY(const std::string expanded, Paths::expand(path));
        OTTO_RETURN_IF_ERROR(Paths::check_set(path, expanded));
        const auto local = paths_.locate(expanded, file.scope->directory);
        made.file = local ? *local : fs::path(expanded);
        if (!fs::exists(made.file)) {
          return build_refused(file.place(), fmt::format("the secret file '{}' does not exist", made.file.string()),
                               "create it, or mend the path");
        }
      } else {
        return build_refused(item.place(), fmt::format("a build cannot have the secret '{}'", text::printable(name)),
                             "it can have one with 'file' or 'environment'");
      }
      made_.secrets[target.empty() ? name : target] = std::move(made);
    }
    return {};
  }

  /// `NAME: address`, `NAME: [address, …]`, `- NAME=address` or `- NAME:address`; a name may have several.
  Result<void> read_extra_hosts(const Node& hosts) {
    const auto take = [&](const Node& node, const std::string& name, std::string address) -> Result<void> {
      if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
      if (name.empty() || address.empty()) {
        return build_refused(node.place(), "an extra host has no address", "write NAME=ADDRESS");
      }
      made_.options[{"add-host", name + ":" + address}] = "";
      return {};
    };
    for (const Node::Member& host : hosts.members) {
      for (const Node* address : host.value.as_list()) {
        OTTO_RETURN_IF_ERROR(take(*address, host.key, address->text));
      }
    }
    for (const Node& item : hosts.items) {
      const std::size_t equals = item.text.find('=');
      const std::size_t end = equals != std::string::npos ? equals : item.text.find(':');
      const std::string address = end == std::string::npos ? "" : item.text.substr(end + 1);
      OTTO_RETURN_IF_ERROR(take(item, item.text.substr(0, end), address));
    }
    return {};
  }

  /// `NAME: number` or `NAME: {soft: number, hard: number}`.
  Result<void> read_ulimits(const Node& ulimits) {
    for (const Node::Member& limit : ulimits.members) {
      const std::string soft = limit.value.get("soft").typed_text(), hard = limit.value.get("hard").typed_text();
      const std::string one = limit.value.is_scalar() ? limit.value.typed_text() : soft + ":" + hard;
      if (one.empty() || (limit.value.is_map() && (soft.empty() || hard.empty()))) {
        return build_refused(limit.value.place(),
                             fmt::format("the ulimit '{}' is no limit", text::printable(limit.key)),
                             "write a number, or {soft: NUMBER, hard: NUMBER}");
      }
      made_.options[{"ulimit", limit.key}] = one;
    }
    return {};
  }

  const Paths& paths_;
  const Model& model_;
  ComposeBuild made_;
};

}  // namespace

Result<ComposeBuild> read_build(const Node& service, const Paths& paths, const Model& model) {
  return BuildReader(paths, model)(service);
}

}  // namespace otto::compose
