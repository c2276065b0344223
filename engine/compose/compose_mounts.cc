// The part of ComposeReader that turns paths as written into staged files: volumes, seccomp profiles, configs, secrets.
#include <fmt/format.h>

#include <algorithm>

#include "engine/compose/compose_reader.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

bool looks_like_path(std::string_view source) {
  return !source.empty() && (source.front() == '.' || source.front() == '~' || source.front() == '/');
}

}  // namespace

Result<void> ComposeReader::stage(const PathReference& path, bool bind_mount, Missing missing) {
  if (!path.node.is_scalar()) return {};
  OTTO_TRY(const std::string expanded, Paths::expand(path));
  return stage_expanded(path, expanded, bind_mount, missing, path.node.scope->directory);
}

Result<void> ComposeReader::stage_expanded(const PathReference& path, std::string_view expanded, bool bind_mount,
                                           Missing missing, const fs::path& directory) {
  const auto set = Paths::check_set(path, expanded);
  if (!set.ok()) return is_idle_ ? Result<void>() : set;
  const auto local = paths_.locate(expanded, directory);
  if (!local) return {};
  const bool required = missing == Missing::kError && !is_idle_;
  std::error_code ignored;
  if (required && !fs::exists(*local, ignored)) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} '{}' does not exist", path.node.place(), path.what, local->string()),
                      "create it, or mend the path");
  }
  if (is_home(expanded)) {
    layout_.add_home(paths_.home(), below_home(expanded), bind_mount, required, path.node.line);
  } else {
    layout_.add(*local, bind_mount, required, path.node.line);
  }
  return {};
}

/// They lie below the project's directory, whichever file names them.
Result<void> ComposeReader::read_security_opts(const Node& list) {
  for (const Node& option : list.items) {
    const PathReference path{option, "seccomp profile"};
    OTTO_TRY(const std::string expanded, Paths::expand(path));
    const std::string profile(seccomp_profile(expanded));
    OTTO_RETURN_IF_ERROR(stage_expanded(path, profile, false, Missing::kError, model_.scope.directory));
  }
  return {};
}

/// SOURCE:TARGET[:MODE], or a map with `type: bind`. A source Docker would create may be missing.
Result<void> ComposeReader::read_volume(const Node& volume) {
  if (volume.is_map()) {
    if (volume.get("type").text != "bind") return {};
    const bool created = volume.get("bind").get("create_host_path").truth(false);
    return stage({volume.get("source"), "bind mount source"}, true, created ? Missing::kOptional : Missing::kError);
  }
  const PathReference path{volume, "bind mount"};
  OTTO_TRY(const std::string expanded, Paths::expand(path));
  const std::size_t colon = expanded.find(':');
  if (colon == std::string::npos) return {};
  const std::string source = expanded.substr(0, colon);
  if (!looks_like_path(source)) return is_idle_ ? Result<void>() : Paths::check_set(path, source);
  return stage_expanded(path, source, true, Missing::kOptional, volume.scope->directory);
}

/// Which secrets, configs and named volumes an active service stands on.
void ComposeReader::take_uses(const Node& service) {
  const auto take = [&](std::string_view kind, const Node& list) {
    for (const Node& item : list.items) {
      used_.insert(fmt::format("{}/{}", kind, item.is_map() ? item.get("source").text : item.text));
    }
  };
  take("secrets", service.get("secrets"));
  take("secrets", service.get("build").get("secrets"));
  take("configs", service.get("configs"));
  for (const Node& volume : service.get("volumes").items) {
    used_.insert("volumes/" +
                 (volume.is_map() ? volume.get("source").text : volume.text.substr(0, volume.text.find(':'))));
  }
}

/// A named volume that is a bind mount in disguise: `driver_opts: {o: bind, device: ./data}`.
Result<void> ComposeReader::read_named_volumes(const Node& volumes) {
  for (const Node::Member& volume : volumes.members) {
    const Node& options = volume.value.get("driver_opts");
    const std::vector<std::string> mount = text::split(options.get("o").text, ',');
    if (std::ranges::find(mount, "bind") == mount.end()) continue;
    is_idle_ = !used_.contains("volumes/" + volume.key);
    const PathReference path{options.get("device"), fmt::format("device of volume '{}'", text::printable(volume.key))};
    OTTO_RETURN_IF_ERROR(stage(path, true, Missing::kError));
  }
  return {};
}

/// Top-level configs and secrets: those that are files.
Result<void> ComposeReader::read_file_sources(const Node& items, std::string_view kind, std::string_view what) {
  for (const Node::Member& item : items.members) {
    is_idle_ = !used_.contains(fmt::format("{}/{}", kind, item.key));
    OTTO_RETURN_IF_ERROR(stage({item.value.get("file"), std::string(what)}, false, Missing::kError));
    take_name(item.value.get("environment").text, nullptr);
  }
  return {};
}

}  // namespace otto::compose
