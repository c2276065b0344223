// Where the files of a compose stack lie in its stage: collected as local paths, laid out once all are known.
//
// Relative paths of compose files must mean the same on the parent, also those that climb above the repo: the layout
// keeps real names below the repo's root, or below the nearest directory that holds everything. Only what compose files
// call "~" gets a directory of its own. Lexical, as Compose resolves paths: no symlinks followed. Values only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/inputs/compose_file.h"

namespace otto::inputs {

class StageLayout {
 public:
  explicit StageLayout(const std::filesystem::path& root);

  /// Adds a path (absolute) once; further calls can only make it required or a bind mount.
  void add(const std::filesystem::path& local, bool bind_mount, bool required, unsigned line);
  /// As add(), for "~/`below`", where `home` is the client's home.
  void add_home(const std::filesystem::path& home, const std::filesystem::path& below, bool bind_mount, bool required,
                unsigned line);

  /// Sets files, project_directory, home_directory and paths of `inputs`; `files` were added first, in this order.
  void finish(const std::vector<std::filesystem::path>& files, ComposeInputs& inputs) const;

 private:
  struct Entry {
    StagedPath path;
    std::string below_home;  ///< empty: not in the home; "." is the home itself
  };
  void add_entry(Entry entry);
  [[nodiscard]] std::filesystem::path base() const;

  std::filesystem::path root_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> known_;
};

/// Lexically normal, without a trailing slash.
std::filesystem::path normal_path(const std::filesystem::path& path);

}  // namespace otto::inputs
