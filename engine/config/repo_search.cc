// find_repos of settings.h: where the repos are, before anything of them is read.
//
// The upward search is lexical, as git's is: it leaves a directory by the name it was entered with, and ends at /.
#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "engine/config/document.h"
#include "engine/config/settings.h"
#include "graph/base/text.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {

fs::path clean(const fs::path& path, const fs::path& cwd) {
  fs::path absolute = (cwd / path).lexically_normal();
  return absolute.has_filename() || !absolute.has_relative_path() ? absolute : absolute.parent_path();
}

bool holds_settings(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_regular_file(directory / ".otto" / "settings.toml", ignored);
}

/// Adds the directory, unless it is there already under another name.
Result<void> add(std::vector<fs::path>& roots, const fs::path& directory, std::string_view said_by) {
  std::error_code failure;
  if (!fs::is_directory(directory, failure)) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: {} is no directory", said_by, one_line(directory.string())),
                      "name the directory that holds .otto/settings.toml");
  }
  if (!holds_settings(directory)) {
    const bool inside = directory.filename() == ".otto" && holds_settings(directory.parent_path());
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} holds no .otto/settings.toml", said_by, one_line(directory.string())),
                      inside ? fmt::format("name the repo's root, {}", one_line(directory.parent_path().string()))
                             : std::string("name a repo's root, the directory that holds .otto/settings.toml"));
  }
  const bool known = std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) {
    std::error_code ignored;
    return fs::equivalent(root, directory, ignored);
  });
  if (!known) roots.push_back(directory);
  return {};
}

std::vector<std::string> split_sut_dirs(std::string value) {
  std::replace(value.begin(), value.end(), ',', ':');
  std::vector<std::string> parts;
  for (const std::string& part : text::split(value, ':')) {
    if (const std::string_view trimmed = text::trim(part); !trimmed.empty()) parts.emplace_back(trimmed);
  }
  return parts;
}

}  // namespace

Result<std::vector<fs::path>> find_repos(const RepoSearch& search) {
  std::vector<fs::path> roots;
  std::error_code ignored;
  const fs::path cwd = clean(fs::absolute(search.cwd, ignored), "/");
  if (!search.repo_dirs.empty()) {
    for (const fs::path& directory : search.repo_dirs) {
      OTTO_RETURN_IF_ERROR(add(roots, clean(directory, cwd), "--repo-dir"));
    }
    return roots;
  }
  const std::vector<std::string> named = split_sut_dirs(search.sut_dirs.value_or(""));
  for (const std::string& directory : named) OTTO_RETURN_IF_ERROR(add(roots, clean(directory, cwd), "OTTO_SUT_DIRS"));
  if (!named.empty()) return roots;
  for (fs::path directory = cwd;; directory = directory.parent_path()) {
    if (holds_settings(directory)) return std::vector<fs::path>{directory};
    if (directory == directory.parent_path()) return roots;
  }
}

}  // namespace otto::config
