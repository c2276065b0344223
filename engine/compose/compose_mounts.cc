// The part of ComposeReader that turns paths as written into staged files: volumes, profiles, configs, secrets,
// resolution.
#include <fmt/format.h>

#include <algorithm>

#include "engine/compose/compose_reader.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

constexpr char kUnset = '\x01';  ///< frames the name of an unset variable inside an expanded text

bool is_remote(std::string_view text) {
  return text.find("://") != std::string_view::npos || text.substr(0, 4) == "git@" || text.substr(0, 4) == "oci:";
}

bool is_home(std::string_view path) { return path == "~" || path.substr(0, 2) == "~/"; }
fs::path below_home(std::string_view path) { return path.size() > 2 ? path.substr(2) : "."; }

bool looks_like_path(std::string_view source) {
  return !source.empty() && (source.front() == '.' || source.front() == '~' || source.front() == '/');
}

}  // namespace

/// The text with values put in; variables that are not set stay marked, for check_set().
Result<std::string> ComposeReader::expand(const File& file, const Reference& reference, const Scope& scope) const {
  const auto mark = [](std::string_view name) { return fmt::format("{}{}{}", kUnset, name, kUnset); };
  auto expanded = interpolate(reference.text, scope.lookup, mark);
  if (expanded) return expanded;
  Error error = std::move(expanded).error();
  error.message = fmt::format("{}: {}", yaml::place(file.name, reference.node), text::printable(error.message));
  return error;
}

Result<void> ComposeReader::check_set(const File& file, const Reference& reference, std::string_view expanded) const {
  const std::size_t unset = expanded.find(kUnset);
  if (unset == std::string_view::npos) return {};
  const std::string_view name = expanded.substr(unset + 1, expanded.find(kUnset, unset + 1) - unset - 1);
  return make_error(
      ErrorCode::kConfig,
      fmt::format("{}: {} '{}' needs the variable '{}', which is not set", yaml::place(file.name, reference.node),
                  reference.what, text::printable(reference.text), text::printable(name)),
      fmt::format("set {0} in the environment or in .env, or write ${{{0}:-default}}", text::printable(name)));
}

std::optional<fs::path> ComposeReader::locate(std::string_view expanded, const Scope& scope) const {
  if (expanded.empty() || expanded.front() == '/' || is_remote(expanded)) return std::nullopt;
  if (is_home(expanded)) return normal_path(home() / below_home(expanded));
  return normal_path(scope.directory / expanded);
}

Result<std::optional<fs::path>> ComposeReader::resolve(const File& file, const Reference& reference,
                                                       const Scope& scope) const {
  OTTO_TRY(const std::string expanded, expand(file, reference, scope));
  OTTO_RETURN_IF_ERROR(check_set(file, reference, expanded));
  return locate(expanded, scope);
}

/// As resolve(), for files that this reader must read itself: they exist, and lie where they can be staged.
Result<std::optional<fs::path>> ComposeReader::compose_path(const File& file, const Reference& reference,
                                                            const Scope& scope) const {
  OTTO_TRY(auto local, resolve(file, reference, scope));
  const std::string place = yaml::place(file.name, reference.node);
  if (!local && !is_remote(reference.text)) {
    return make_error(
        ErrorCode::kConfig,
        fmt::format("{}: {} '{}' cannot be staged", place, reference.what, text::printable(reference.text)),
        "use a path relative to the compose file");
  }
  if (local && !fs::is_regular_file(*local)) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} '{}' does not exist", place, reference.what, local->string()),
                      "relative paths begin at the directory of the compose file");
  }
  return local;
}

Result<void> ComposeReader::stage(const File& file, const Reference& reference, bool bind_mount, Missing missing,
                                  const Scope& scope) {
  OTTO_TRY(const std::string expanded, expand(file, reference, scope));
  OTTO_RETURN_IF_ERROR(check_set(file, reference, expanded));
  return stage_expanded(file, reference, expanded, bind_mount, missing, scope);
}

Result<void> ComposeReader::stage_expanded(const File& file, const Reference& reference, std::string_view expanded,
                                           bool bind_mount, Missing missing, const Scope& scope) {
  const auto local = locate(expanded, scope);
  if (!local) return {};
  const bool required = missing == Missing::kError;
  std::error_code ignored;
  if (required && !fs::exists(*local, ignored)) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} '{}' does not exist", yaml::place(file.name, reference.node), reference.what,
                                  local->string()),
                      "create it, or mend the path");
  }
  const unsigned line = yaml::line(reference.node);
  if (is_home(expanded)) {
    layout_.add_home(home(), below_home(expanded), bind_mount, required, line);
  } else {
    layout_.add(*local, bind_mount, required, line);
  }
  return {};
}

fs::path ComposeReader::home() const {
  const char* home = getenv_("HOME");
  return home == nullptr || *home != '/' ? fs::path("/") : fs::path(home);
}

Result<void> ComposeReader::read_volumes(const File& file, const YAML::Node& volumes, const Scope& scope) {
  if (!volumes.IsDefined() || !volumes.IsSequence()) return {};
  for (const YAML::Node& volume : volumes) OTTO_RETURN_IF_ERROR(read_volume(file, volume, scope));
  return {};
}

Result<void> ComposeReader::read_security_opts(const File& file, const YAML::Node& list, const Scope& scope) {
  if (!list.IsDefined() || !list.IsSequence()) return {};
  const Scope project{project_, scope.lookup};
  for (const YAML::Node& option : list) {
    const Reference reference{option, yaml::text(option), "seccomp profile"};
    OTTO_TRY(const std::string expanded, expand(file, reference, scope));
    const std::string profile(seccomp_profile(expanded));
    OTTO_RETURN_IF_ERROR(check_set(file, reference, profile));
    OTTO_RETURN_IF_ERROR(stage_expanded(file, reference, profile, false, Missing::kError, project));
  }
  return {};
}

/// SOURCE:TARGET[:MODE], or a map with `type: bind`. A source Docker would create may be missing.
Result<void> ComposeReader::read_volume(const File& file, const YAML::Node& volume, const Scope& scope) {
  if (volume.IsMap()) {
    if (yaml::text(yaml::get(volume, "type")) != "bind") return {};
    const YAML::Node source = yaml::get(volume, "source");
    const YAML::Node bind = yaml::get(volume, "bind");
    const bool created = bind.IsDefined() && yaml::text(yaml::get(bind, "create_host_path")) == "true";
    const Reference reference{source, yaml::text(source), "bind mount source"};
    return stage(file, reference, true, created ? Missing::kOptional : Missing::kError, scope);
  }
  const Reference reference{volume, yaml::text(volume), "bind mount"};
  OTTO_TRY(const std::string expanded, expand(file, reference, scope));
  const std::size_t colon = expanded.find(':');
  if (colon == std::string::npos) return {};
  const std::string source = expanded.substr(0, colon);
  OTTO_RETURN_IF_ERROR(check_set(file, reference, source));
  if (!looks_like_path(source)) return {};
  return stage_expanded(file, reference, source, true, Missing::kOptional, scope);
}

/// A named volume that is a bind mount in disguise: `driver_opts: {o: bind, device: ./data}`.
Result<void> ComposeReader::read_named_volumes(const File& file, const YAML::Node& volumes, const Scope& scope) {
  if (!volumes.IsDefined() || !volumes.IsMap()) return {};
  for (const auto& [name, volume] : yaml::entries(volumes)) {
    const YAML::Node options = volume.IsMap() ? yaml::get(volume, "driver_opts") : volume;
    if (!options.IsDefined() || !options.IsMap()) continue;
    const std::vector<std::string> mount = text::split(yaml::text(yaml::get(options, "o")), ',');
    if (std::find(mount.begin(), mount.end(), "bind") == mount.end()) continue;
    const YAML::Node device = yaml::get(options, "device");
    const Reference reference{device, yaml::text(device), fmt::format("device of volume '{}'", text::printable(name))};
    OTTO_RETURN_IF_ERROR(stage(file, reference, true, Missing::kError, scope));
  }
  return {};
}

/// Top-level configs and secrets: those that are files.
Result<void> ComposeReader::read_file_sources(const File& file, const YAML::Node& items, std::string_view what,
                                              const Scope& scope) {
  if (!items.IsDefined() || !items.IsMap()) return {};
  for (const auto& [name, item] : yaml::entries(items)) {
    if (!item.IsMap()) continue;
    const YAML::Node path = yaml::get(item, "file");
    const Reference reference{path, yaml::text(path), std::string(what)};
    OTTO_RETURN_IF_ERROR(stage(file, reference, false, Missing::kError, scope));
    take_name(yaml::text(yaml::get(item, "environment")));
  }
  return {};
}

}  // namespace otto::compose
