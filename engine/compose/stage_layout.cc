#include "engine/compose/stage_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kBeside = "../";  // staged paths are relative to the tree
constexpr std::string_view kAbove = "above";
constexpr std::string_view kUp = ".up";
constexpr std::string_view kTree = ".tree";
constexpr std::size_t kHighest = 16;  // no repo is that deep below what it names

/// The folder of the chain that stands for the directory `up` above the tree's.
std::string chain(std::size_t up) {
  std::string folder(kAbove);
  for (std::size_t at = up; at <= kHighest; ++at) (folder += '/') += kUp;
  return folder;
}

std::string tree_link() { return fmt::format("{}/{}", chain(1), kTree); }

std::size_t count_names(const fs::path& path) {
  return static_cast<std::size_t>(std::distance(path.begin(), path.end()));
}

/// The first `count` names.
fs::path head_of(const fs::path& path, std::size_t count) {
  fs::path head;
  for (auto name = path.begin(); count > 0 && name != path.end(); ++name, --count) head /= *name;
  return head;
}

}  // namespace

fs::path normal_path(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_relative_path() && !normal.has_filename() ? normal.parent_path() : normal;
}

StageLayout::StageLayout(const fs::path& root, StageAnchor anchor)
    : root_(normal_path(root)), anchor_(std::move(anchor)) {
  if (anchor_.local.empty()) anchor_.local = root_;
}

void StageLayout::add(const fs::path& local, bool bind_mount, bool required, unsigned line) {
  add_entry({{normal_path(local), {}, bind_mount, !bind_mount, required, line}, {}});
}

void StageLayout::add_home(const fs::path& home, const fs::path& below, bool bind_mount, bool required, unsigned line) {
  const fs::path relative = normal_path(fs::path("/") / below).lexically_relative("/");
  add_entry({{normal_path(home / relative), {}, bind_mount, !bind_mount, required, line}, relative.string()});
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
  path.read = path.read || entry.path.read;
  path.required = path.required || entry.path.required;
}

StageLayout::Place StageLayout::place_of(const fs::path& local) const {
  const fs::path relative = local.lexically_relative(anchor_.local);
  std::size_t climbs = 0;
  fs::path names;
  for (const fs::path& name : relative) {
    if (name == "..") {
      ++climbs;
    } else if (name != ".") {
      names /= name;
    }
  }
  const std::size_t depth = count_names(anchor_.staged);
  if (climbs > depth) return {climbs - depth, names};
  return {0, head_of(anchor_.staged, depth - climbs) / names};
}

/// No name of the repo is taken.
std::string StageLayout::home_name() const {
  std::string home = "_home";
  const auto taken = [&](const std::string& name) {
    std::error_code ignored;
    return fs::symlink_status(root_ / name, ignored).type() != fs::file_type::not_found;
  };
  while (taken(home)) home += '_';
  return home;
}

/// The repo and the directories above it by their own names, for paths that climb out and come in again. Where such a
/// directory is itself staged, what lies in it is there by its name.
void StageLayout::add_links(std::size_t highest, ComposeInputs& inputs) const {
  fs::path directory = anchor_.local;
  for (std::size_t climb = count_names(anchor_.staged); climb > 0; --climb) directory = directory.parent_path();
  for (std::size_t up = 1; up <= highest && directory.has_filename(); ++up, directory = directory.parent_path()) {
    const std::string folder = std::string(kBeside) + chain(up);
    const bool is_staged = std::ranges::any_of(inputs.paths, [&](const auto& path) { return path.staged == folder; });
    if (!is_staged) inputs.links[folder + "/" + directory.filename().string()] = up == 1 ? kTree : kUp;
  }
}

Result<void> StageLayout::finish(const std::vector<fs::path>& files, ComposeInputs& inputs) const {
  std::size_t highest = 0;
  const auto staged_at = [&](const fs::path& local) {
    const Place place = place_of(local);
    const fs::path names = place.names.empty() ? fs::path(".") : place.names;
    return place.above == 0
               ? names.generic_string()
               : (kBeside / fs::path(chain(place.above)) / place.names).lexically_normal().generic_string();
  };
  for (const Entry& entry : entries_) {
    StagedPath path = entry.path;
    if (entry.below_home.empty()) {
      const std::size_t above = place_of(path.local).above;
      if (above > kHighest) {
        return make_error(ErrorCode::kConfig,
                          fmt::format("{} lies {} directories above the repo; {} is the most that can be staged",
                                      text::printable(path.local.string()), above, kHighest),
                          "name it by an absolute path, which is one of the parent's own");
      }
      highest = std::max(highest, above);
      path.staged = normal_path(staged_at(path.local)).generic_string();
    } else {
      inputs.home_directory = home_name();
      path.staged = inputs.home_directory + (entry.below_home == "." ? "" : "/" + entry.below_home);
    }
    inputs.paths.push_back(std::move(path));
  }
  if (highest > 0) {
    inputs.tree_link = tree_link();
    add_links(highest, inputs);
  }
  // Compose enters by the link where anything lies above.
  const auto entered = [&](const fs::path& local) {
    const bool inside = place_of(local).above == 0;
    const fs::path staged = normal_path(staged_at(local));
    if (!inside || highest == 0) return staged.generic_string();
    const fs::path link = fs::path(kBeside) / tree_link();
    return staged == "." ? link.generic_string() : (link / staged).generic_string();
  };
  for (const fs::path& file : files) inputs.files.push_back(entered(normal_path(file)));
  inputs.project_directory = entered(normal_path(files.front()).parent_path());
  return {};
}

namespace {

/// Of the directories of the tree that hold a file `below` them, the highest.
std::optional<fs::path> highest_with(const graph::ContextManifest& staged, std::string_view below) {
  if (staged.find(below) != nullptr) return fs::path();
  std::optional<fs::path> highest;
  for (const graph::ContextEntry& entry : staged.entries) {
    const std::string_view path = entry.path.view();
    const bool fits = entry.type == graph::EntryType::kFile && path.ends_with(below) && !path.starts_with(kBeside) &&
                      path[path.size() - below.size() - 1] == '/';
    if (!fits) continue;
    const fs::path found(path.substr(0, path.size() - below.size() - 1));
    if (!highest || count_names(found) < count_names(*highest)) highest = found;
  }
  return highest;
}

}  // namespace

StageAnchor find_anchor(const graph::ContextManifest& staged, const fs::path& root, const fs::path& file) {
  const fs::path below = normal_path(file).lexically_relative(normal_path(root));
  if (*below.begin() != "..") {
    const auto found = highest_with(staged, below.generic_string());
    return found && !found->empty() ? StageAnchor{normal_path(root), *found} : StageAnchor();
  }
  // A compose file outside of the repo lies above, but for older ottos, which had it in the tree.
  const bool beside = std::ranges::any_of(
      staged.entries, [](const graph::ContextEntry& entry) { return entry.path.view().starts_with(kBeside); });
  if (beside) return {};
  const auto found = highest_with(staged, below.filename().generic_string());
  return found ? StageAnchor{normal_path(file).parent_path(), *found} : StageAnchor();
}

std::string_view without_tree_link(std::string_view staged) {
  static const std::string link = std::string(kBeside) + tree_link();
  if (!staged.starts_with(link)) return staged;
  if (staged.size() == link.size()) return ".";
  return staged[link.size()] == '/' ? staged.substr(link.size() + 1) : staged;
}

}  // namespace otto::compose
