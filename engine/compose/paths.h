// A path as a compose file writes it, and the place on this machine that it means.
//
// Relative ones begin at their scope's directory, "~" is the client's home; absolute and remote ones are not on this
// machine. A variable that is not set is an error here, with what to set: Compose would go on with half a path.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "engine/compose/compose_file.h"
#include "engine/compose/node.h"

namespace otto::compose {

/// A path and what it is for: "env_file", "bind mount source", …
struct PathReference {
  const Node& node;
  std::string what;
};

class Paths {
 public:
  explicit Paths(const GetEnv& getenv) : getenv_(getenv) {}

  /// The text with values put in, where variables that are not set are marked for check_set(). kConfig.
  static Result<std::string> expand(const PathReference& path);
  /// `part` of what expand() gave.
  static Result<void> check_set(const PathReference& path, std::string_view part);
  /// nullopt: not a path of this machine.
  [[nodiscard]] std::optional<std::filesystem::path> locate(std::string_view text,
                                                            const std::filesystem::path& directory) const;
  /// All three.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> resolve(const PathReference& path) const;
  /// As resolve(), of a file that must be read here: it exists, and lies where it can be staged.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> readable(const PathReference& path) const;
  [[nodiscard]] std::filesystem::path home() const;

 private:
  const GetEnv& getenv_;
};

bool is_remote(std::string_view path);
bool is_home(std::string_view path);
std::filesystem::path below_home(std::string_view path);

}  // namespace otto::compose
