// A stack's compose files as one model: read, variables put in, extended, included and merged, as Compose does it.
//
// Nothing is resolved yet: paths stand as they are written, and each value knows the scope of its file. What Compose
// would fetch from elsewhere (included or extended files that are remote) is left to the parent. Must not know what is
// staged or built. Reads files; one thread.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/compose/compose_file.h"
#include "engine/compose/node.h"

namespace otto::compose {

struct Model {
  /// A file that was read besides the stack's own: included, extended, or an env file of an include.
  struct ReadFile {
    std::filesystem::path path;
    bool required = true;  ///< false: Compose reads it where it is there
    unsigned line = 0;     ///< where it is named
  };

  Node root;
  Scope scope;  ///< of the stack's own files
  std::vector<ReadFile> read;
  std::set<std::string>
      variables;  ///< names that the files interpolate, also in what is laid over, and env files of includes
  /// What nodes point to.
  std::deque<std::string> names;
  std::deque<Scope> scopes;
};

/// What the stack's files see: the environment, then `.env` beside the first; COMPOSE_PROJECT_NAME is `project`.
/// kConfig for a malformed .env.
Result<Scope> outer_scope(const std::filesystem::path& first_file, const GetEnv& getenv, const std::string& project);

/// kConfig "FILE:LINE:COLUMN: …" for YAML errors, interpolation errors, a service of two of the files, files that do
/// not exist, circles.
Result<std::unique_ptr<Model>> load_model(const std::vector<std::filesystem::path>& files, Scope scope,
                                          const GetEnv& getenv);

}  // namespace otto::compose
