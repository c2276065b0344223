// The options every verb shares, as plain values.
//
// They are accepted before or after the verb. What they mean (colour on a pipe, progress on a dumb terminal) is decided
// once, in terminal.h; verbs read the decision and never the environment. Values only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/render/modes.h"

namespace otto::cli {

class Definition;

struct GlobalOptions {
  std::optional<std::string> lab;      ///< as typed: "a,b"
  std::optional<std::string> repo;     ///< --repo NAME
  std::vector<std::string> repo_dirs;  ///< --repo-dir, repeatable
  bool dry_run = false;
  int verbose = 0;
  bool quiet = false;
  Format format = Format::kText;
  ProgressMode progress = ProgressMode::kAuto;
  ColorMode color = ColorMode::kAuto;
  bool no_input = false;
  bool list_labs = false;
  bool list_hosts = false;
  bool show_lab = false;
  bool version = false;

  /// --list-labs and its like stand in for a verb.
  [[nodiscard]] bool stands_alone() const { return list_labs || list_hosts || show_lab || version; }
};

/// Binds the options to `options`, which must outlive `definition`.
/// `draws`: --format may be dot too.
void define_global_options(Definition& definition, GlobalOptions& options, bool draws = false);

}  // namespace otto::cli
