// What compose files refer to, read offline: services, images, files beside them, variables they interpolate.
//
// The parent's `docker compose config` is the authority on meaning; this reader only finds what must be staged and sent
// along before it can be asked, and the service names for completion. Must not know hosts. Values only.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/interpolation.h"
#include "engine/config/settings.h"
#include "graph/base/result.h"

namespace otto::compose {

/// A directory of this machine and its place in the stage's tree, from which all other places follow (stage_layout.h).
struct StageAnchor {
  std::filesystem::path local;   ///< empty: the repo's root
  std::filesystem::path staged;  ///< relative to the tree; empty: the tree itself
  bool operator==(const StageAnchor&) const = default;
};

/// One file or directory that a compose file names and that must exist on the parent.
struct StagedPath {
  std::filesystem::path local;  ///< absolute
  std::string staged;           ///< relative to the stage's root; "." is the root itself
  bool bind_mount = false;      ///< mounted into a container: written in place
  bool read = false;            ///< Compose reads it, too: what it holds counts
  bool required = true;  ///< false: `required: false` of env_file, or a source Docker would create; may be absent
  unsigned line = 0;
};

/// A `build:` section as Compose has it.
struct ComposeBuild {
  std::filesystem::path context;                 ///< absolute, a directory of this machine
  std::optional<std::string> dockerfile;         ///< relative to the context
  std::optional<std::string> dockerfile_inline;  ///< the Dockerfile's text
  std::string dockerfile_inline_file;            ///< the compose file that holds it
  std::map<std::string, std::string> args;
  /// Further options of `docker build`: {"label", "k"} → "v", {"ulimit", "nproc"} → "7", {"add-host", "db:10.0.0.2"} →
  /// "", {"network", ""} → "none".
  std::map<std::pair<std::string, std::string>, std::string> options;
  std::vector<std::pair<std::string, std::string>> hints;  ///< config::ImageSettings
  std::map<std::string, config::BuildSecret> secrets;      ///< by id
  std::optional<std::string> target;
  std::optional<std::string> platform;  ///< of the service where the section names none
  std::string place;                    ///< "FILE:LINE:COLUMN"
};

struct ComposeService {
  std::string name;
  std::string image;                   ///< as written, may hold ${VAR}; empty with only `build:`
  std::string expanded_image;          ///< with the client's variables put in
  std::optional<ComposeBuild> build;   ///< its context is not staged: it is an image's (compose_images.h)
  std::optional<Error> build_trouble;  ///< why its `build:` section cannot be built from
  bool idle = false;                   ///< its profiles are off, and nobody has named it
  bool has_env_file = false;           ///< it names one, which may be missing where it is idle
  std::optional<bool> oneshot;         ///< `x-otto: {oneshot: …}`
  /// What its container is written with, for telling changes: not what the image alone is made from.
  struct Sources {
    std::set<std::string> variables;     ///< names that it takes from outside, those that its env files take too
    std::set<std::string> interpolated;  ///< its keys in which variables stand
    std::set<std::string> names_from_variables;  ///< those in which variables stand in the names of members, too
    std::set<std::filesystem::path> files;       ///< env files and label files, absolute
    bool partial = false;                        ///< it extends a service that only the parent can read
  };
  Sources sources;
  unsigned line = 0;
};

struct ComposeInputs {
  std::vector<std::string> files;  ///< the compose files' staged paths, in order, for -f
  std::string project_directory;   ///< staged path of the first file's directory; "." is the stage's root
  std::string home_directory;      ///< staged path of "~": HOME for Compose; empty where no source begins with ~
  std::vector<StagedPath> paths;   ///< the compose files themselves first; no duplicates
  std::map<std::string, std::string> links;  ///< staged symlinks that lie nowhere here, and where they lead
  std::string tree_link;  ///< relative to the stage: what leads to its tree; empty where nothing needs it
  std::vector<ComposeService> services;  ///< of all files, sorted by name
  std::vector<std::string> variables;    ///< names taken from outside anywhere (also by env files), sorted
  std::map<std::string, std::string>
      environment;  ///< the variables that have a value: the environment's, else `.env`'s
};

/// The profiles that a value of COMPOSE_PROFILES turns on; without one that is the empty profile.
std::vector<std::string> active_profiles(std::string_view value);

/// Whether a key of a service is something that its container is made from: not `image` and `build`, for which the
/// image's id speaks, nor what is Compose's own affair.
bool reaches_container(std::string_view key);

/// As std::getenv.
using GetEnv = std::function<const char*(const char*)>;

/// Reads the compose files of one stack (absolute paths, all inside or outside `root`, the repo's root) and everything
/// they include or extend. Every relative path means the same on the parent, and no path's place hangs on another's
/// (stage_layout.h); `anchor` fixes them (find_anchor()). Absolute paths and named volumes belong to the parent and are
/// left alone. Variables take their values from `getenv` (null: the process's own), then `.env`; COMPOSE_PROJECT_NAME
/// is `project`. `named`: services that are wanted whatever their profiles. kConfig "FILE:LINE:COLUMN: …" for YAML
/// errors, a service defined by two of the files, files that do not exist, a path whose variable is not set.
Result<ComposeInputs> read_compose_files(const std::filesystem::path& root,
                                         const std::vector<std::filesystem::path>& files, const std::string& project,
                                         const GetEnv& getenv = nullptr, const StageAnchor& anchor = {},
                                         const std::vector<std::string>& named = {});

/// Only the services of a stack, with their images and `build:` sections: other files that they name may be missing,
/// and variables in their paths unset.
Result<std::vector<ComposeService>> read_compose_builds(const std::filesystem::path& root,
                                                        const std::vector<std::filesystem::path>& files,
                                                        const std::string& project, const GetEnv& getenv);

/// The path of a `security_opt` that names a seccomp profile ("seccomp=PATH", "seccomp:PATH"); empty: it names none.
std::string_view seccomp_profile(std::string_view security_option);

}  // namespace otto::compose
