// Where the files of a compose stack lie in its stage: each path's place hangs on that path and on the repo alone.
//
// A path below the repo's root lies at the same place in the tree, so that no path moves because another one came or
// went: containers have them mounted and write there. Paths that climb out lie beside the tree, in a chain of folders:
//
//   <stage>/tree.<id>/data             ./data
//   <stage>/above/.up/…/.up/x.env      ../x.env: in the last of the chain
//   <stage>/above/.up/…/common/y.env   ../../common/y.env: one up
//   <stage>/above/.up/…/.up/.tree      a link to the tree, by which Compose enters where anything lies above
//
// Compose resolves paths by their text, so below that link "../x.env" means what it means here. In a stack that an
// older otto has staged another directory may be the tree, the nearest that held everything it named then; so it stays
// (StageAnchor). Only what compose files call "~" gets a directory of its own. No symlinks are followed here. Values
// only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/compose_file.h"
#include "graph/context_manifest.h"

namespace otto::compose {

class StageLayout {
 public:
  StageLayout(const std::filesystem::path& root, StageAnchor anchor);

  /// Adds a path (absolute) once; further calls can only make it required or a bind mount.
  void add(const std::filesystem::path& local, bool bind_mount, bool required, unsigned line);
  /// As add(), for "~/`below`", where `home` is the client's home.
  void add_home(const std::filesystem::path& home, const std::filesystem::path& below, bool bind_mount, bool required,
                unsigned line);

  /// Sets files, project_directory, home_directory, paths, links and tree_link of `inputs`; `files` were added first,
  /// in this order. kConfig where a path climbs higher than there is room for.
  Result<void> finish(const std::vector<std::filesystem::path>& files, ComposeInputs& inputs) const;

 private:
  struct Entry {
    StagedPath path;
    std::string below_home;  ///< empty: not in the home; "." is the home itself
  };
  /// A place in the stage: how far above the tree, and the names from there.
  struct Place {
    std::size_t above = 0;
    std::filesystem::path names;
  };
  void add_entry(Entry entry);
  [[nodiscard]] Place place_of(const std::filesystem::path& local) const;
  [[nodiscard]] std::string home_name() const;
  void add_links(std::size_t highest, ComposeInputs& inputs) const;

  std::filesystem::path root_;
  StageAnchor anchor_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> known_;
};

/// Lexically normal, without a trailing slash.
std::filesystem::path normal_path(const std::filesystem::path& path);

/// What fixes the places in a stage that holds `staged`, where `file` is the stack's first compose file: as a rule that
/// the repo's root is the tree.
StageAnchor find_anchor(const graph::ContextManifest& staged, const std::filesystem::path& root,
                        const std::filesystem::path& file);

/// A staged path that begins with ComposeInputs::tree_link, without it; others as they are.
std::string_view without_tree_link(std::string_view staged);

}  // namespace otto::compose
