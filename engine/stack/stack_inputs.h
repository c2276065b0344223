// A compose stack's inputs as they are on disk and in the environment now: what is staged, and a digest of what counts.
//
// The digest covers everything that the answer of `docker compose config` depends on: the staged files but bind-mounted
// ones, their places, and the values of interpolated variables (digested; no value is kept in the memo). Must not know
// parents' connections.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/compose/compose_file.h"
#include "engine/parent/parent_session.h"
#include "engine/workspace/opened.h"
#include "graph/base/result.h"
#include "graph/context_manifest.h"

namespace otto::stack {

struct StackInputs {
  std::string project;          ///< the compose project
  compose::StageAnchor anchor;  ///< of the places in the stage
  compose::ComposeInputs files;
  std::map<std::string, std::string> environment;        ///< interpolated names that have a value
  graph::ContextManifest manifest;                       ///< of everything staged
  std::map<std::string, std::filesystem::path> sources;  ///< staged path of each file or directory → local path
  std::map<std::string, graph::Digest> staged;           ///< staged path → content, without bind mounts
  std::string digest;                                    ///< hex

  /// Where the entry of a staged path lies on this machine; empty for a symlink that is the stage's own.
  [[nodiscard]] std::filesystem::path locate(const std::string& staged_path) const;
};

/// The first compose file of a target, which tells where a stage has the repo.
const std::filesystem::path& first_compose_file(const workspace::Target& target);

/// Names of the services that the repo's compose files of other parents define: no orphans of this stack. Errors as
/// compose::read_compose_builds.
Result<std::set<std::string>> services_elsewhere(const workspace::Opened& workspace, const workspace::Target& target);

/// `project`: the compose project, else get_user_compose_project. `services`: those that are named. kConfig, kIo,
/// kInputsChanged, kInterrupted.
Result<StackInputs> read_stack(workspace::Opened& workspace, const workspace::Target& target,
                               const std::optional<std::string>& project, const std::vector<std::string>& services);

}  // namespace otto::stack
