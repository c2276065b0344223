#include "engine/compose/paths.h"

#include <fmt/format.h>

#include "engine/compose/stage_layout.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

constexpr char kUnset = '\x01';  ///< frames the name of an unset variable inside an expanded text

}  // namespace

bool is_remote(std::string_view path) {
  return path.find("://") != std::string_view::npos || path.starts_with("git@") || path.starts_with("oci:");
}

bool is_home(std::string_view path) { return path == "~" || path.starts_with("~/"); }
fs::path below_home(std::string_view path) { return path.size() > 2 ? path.substr(2) : "."; }

Result<std::string> Paths::expand(const PathReference& path) {
  if (path.node.written.find('$') == std::string::npos) return path.node.text;
  const auto mark = [](std::string_view name) { return fmt::format("{}{}{}", kUnset, name, kUnset); };
  return interpolate(path.node.written, path.node.scope->lookup, mark);
}

Result<void> Paths::check_set(const PathReference& path, std::string_view part) {
  const std::size_t unset = part.find(kUnset);
  if (unset == std::string_view::npos) return {};
  const std::string name = text::printable(part.substr(unset + 1, part.find(kUnset, unset + 1) - unset - 1));
  return make_error(ErrorCode::kConfig,
                    fmt::format("{}: {} '{}' needs the variable '{}', which is not set", path.node.place(), path.what,
                                text::printable(path.node.written), name),
                    fmt::format("set {0} in the environment or in .env, or write ${{{0}:-default}}", name));
}

std::optional<fs::path> Paths::locate(std::string_view text, const fs::path& directory) const {
  if (text.empty() || text.front() == '/' || is_remote(text)) return std::nullopt;
  return normal_path(is_home(text) ? home() / below_home(text) : directory / text);
}

Result<std::optional<fs::path>> Paths::resolve(const PathReference& path) const {
  if (!path.node.is_scalar()) return std::optional<fs::path>();
  OTTO_TRY(const std::string expanded, expand(path));
  OTTO_RETURN_IF_ERROR(check_set(path, expanded));
  return locate(expanded, path.node.scope->directory);
}

Result<std::optional<fs::path>> Paths::readable(const PathReference& path) const {
  OTTO_TRY(auto local, resolve(path));
  if (!local && !is_remote(path.node.text)) {
    return make_error(
        ErrorCode::kConfig,
        fmt::format("{}: {} '{}' cannot be staged", path.node.place(), path.what, text::printable(path.node.written)),
        "use a path relative to the compose file");
  }
  if (local && !fs::is_regular_file(*local)) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} '{}' does not exist", path.node.place(), path.what, local->string()),
                      "relative paths begin at the directory of the compose file");
  }
  return local;
}

fs::path Paths::home() const {
  const char* home = getenv_("HOME");
  return home == nullptr || *home != '/' ? fs::path("/") : fs::path(home);
}

}  // namespace otto::compose
