#include "engine/inputs/stage_layout.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace otto::inputs {
namespace fs = std::filesystem;
namespace {

bool is_inside(const fs::path& path, const fs::path& directory) {
  const auto [rest, unused] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return rest == directory.end();
}

fs::path common_ancestor(const fs::path& a, const fs::path& b) {
  fs::path common;
  auto in_a = a.begin();
  auto in_b = b.begin();
  for (; in_a != a.end() && in_b != b.end() && *in_a == *in_b; ++in_a, ++in_b) common /= *in_a;
  return common;
}

}  // namespace

fs::path normal_path(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_relative_path() && !normal.has_filename() ? normal.parent_path() : normal;
}

StageLayout::StageLayout(const fs::path& root) : root_(normal_path(root)) {}

void StageLayout::add(const fs::path& local, bool bind_mount, bool required, unsigned line) {
  add_entry({{normal_path(local), {}, bind_mount, required, line}, {}});
}

void StageLayout::add_home(const fs::path& home, const fs::path& below, bool bind_mount, bool required, unsigned line) {
  const fs::path relative = normal_path(fs::path("/") / below).lexically_relative("/");
  add_entry({{normal_path(home / relative), {}, bind_mount, required, line}, relative.string()});
}

void StageLayout::add_entry(Entry entry) {
  const std::string key = entry.below_home.empty() ? entry.path.local.string() : "~" + entry.path.local.string();
  const auto [known, is_new] = known_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.push_back(std::move(entry));
    return;
  }
  StagedPath& path = entries_[known->second].path;
  path.bind_mount = path.bind_mount || entry.path.bind_mount;
  path.required = path.required || entry.path.required;
}

fs::path StageLayout::base() const {
  std::optional<fs::path> common;
  bool all_inside = true;
  for (const Entry& entry : entries_) {
    if (!entry.below_home.empty()) continue;
    const fs::path& local = entry.path.local;
    all_inside = all_inside && is_inside(local, root_);
    std::error_code ignored;
    const fs::path directory = fs::is_directory(local, ignored) ? local : local.parent_path();
    common = common ? common_ancestor(*common, directory) : directory;
  }
  return all_inside || !common ? root_ : *common;
}

void StageLayout::finish(const std::vector<fs::path>& files, ComposeInputs& inputs) const {
  const fs::path top = base();
  std::string home = "_home";
  const auto taken = [&](const std::string& name) {
    std::error_code ignored;
    return fs::symlink_status(top / name, ignored).type() != fs::file_type::not_found;
  };
  while (taken(home)) home += '_';
  for (const Entry& entry : entries_) {
    StagedPath path = entry.path;
    if (entry.below_home.empty()) {
      path.staged = path.local.lexically_relative(top).generic_string();
    } else {
      path.staged = entry.below_home == "." ? home : home + "/" + entry.below_home;
      inputs.home_directory = home;
    }
    inputs.paths.push_back(std::move(path));
  }
  for (const fs::path& file : files) inputs.files.push_back(normal_path(file).lexically_relative(top).generic_string());
  inputs.project_directory = normal_path(files.front()).parent_path().lexically_relative(top).generic_string();
}

}  // namespace otto::inputs
