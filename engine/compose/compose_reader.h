// Walks compose files, what they include and what they extend, and collects what the stack takes from this machine.
// Internal to inputs/; compose_file.h is the door.
//
// Three rules of Compose decide where a relative path points: files of the stack resolve against the first file's
// directory, included ones against their own project directory, extended services against the file they stand in. A
// Scope carries that directory and the environment seen there. Reads files; throws YAML::Exception (caught by the
// door).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/compose_file.h"
#include "engine/compose/compose_yaml.h"
#include "engine/compose/stage_layout.h"

namespace otto::compose {

class ComposeReader {
 public:
  /// Where relative paths begin and what variables hold.
  struct Scope {
    std::filesystem::path directory;
    Lookup lookup;
  };

  /// kBuilds: files that are only staged are passed over.
  enum class Extent { kEverything, kBuilds };

  ComposeReader(const std::filesystem::path& root, const GetEnv& getenv, Extent extent, const StageAnchor& anchor = {})
      : getenv_(getenv), layout_(root, anchor), extent_(extent) {}

  Result<ComposeInputs> run(const std::vector<std::filesystem::path>& files);

 private:
  /// One compose file being read.
  struct File {
    std::filesystem::path path;
    std::string name;    ///< for messages
    std::string origin;  ///< the file that services count as defined by: merged includes share one
    std::vector<YAML::Node> documents;
  };
  /// A path as a compose file writes it.
  struct Reference {
    YAML::Node node;
    std::string text;
    std::string what;  ///< "env_file", "bind mount source", …
  };
  /// What a missing file means.
  enum class Missing { kError, kOptional };

  Result<File> load(const std::filesystem::path& path);
  Result<void> read_file(const File& file, const Scope& scope);
  Result<void> read_model(const File& file, const YAML::Node& model, const Scope& scope);
  Result<void> read_services(const File& file, const YAML::Node& services, const Scope& scope);
  Result<void> read_service(const File& file, const YAML::Node& service, const Scope& scope, ComposeService& made);
  Result<void> read_image(const File& file, const YAML::Node& service, const Scope& scope, ComposeService& made);
  static Result<void> read_own_words(const File& file, const YAML::Node& words, ComposeService& made);
  Result<void> read_staged(const File& file, const YAML::Node& service, const Scope& scope);
  Result<void> read_build(const File& file, const YAML::Node& service, const Scope& scope, ComposeService& made);
  Result<void> read_build_context(const File& file, const YAML::Node& node, const Scope& scope, ComposeBuild& build);
  Result<void> read_build_platform(const File& file, const YAML::Node& list, const Scope& scope, ComposeBuild& build);
  Result<std::optional<std::string>> typed_build_text(const File& file, const YAML::Node& node, std::string_view what,
                                                      const Scope& scope) const;
  Result<void> read_build_labels(const File& file, const YAML::Node& labels, const Scope& scope, ComposeBuild& build);
  Result<void> read_extra_hosts(const File& file, const YAML::Node& hosts, const Scope& scope, ComposeBuild& build);
  Result<void> read_build_options(const File& file, const YAML::Node& build, const Scope& scope, ComposeBuild& made);
  Result<void> read_ulimits(const File& file, const YAML::Node& ulimits, const Scope& scope, ComposeBuild& build);
  Result<void> read_build_args(const File& file, const YAML::Node& args, const Scope& scope, ComposeBuild& build);
  Result<std::optional<std::string>> build_text(const File& file, const YAML::Node& node, std::string_view what,
                                                const Scope& scope) const;
  Result<void> read_env_files(const File& file, const YAML::Node& list, const Scope& scope);
  Result<void> read_security_opts(const File& file, const YAML::Node& list, const Scope& scope);
  Result<void> read_extends(const File& file, const YAML::Node& extends, const Scope& scope, ComposeService& made);
  Result<void> extend_from(const File& file, const std::string& service, const YAML::Node& where, const Scope& scope,
                           ComposeService& made);
  Result<void> read_volumes(const File& file, const YAML::Node& volumes, const Scope& scope);
  Result<void> read_volume(const File& file, const YAML::Node& volume, const Scope& scope);
  Result<void> read_includes(const File& file, const YAML::Node& list, const Scope& scope);
  Result<void> read_include(const File& file, const YAML::Node& entry, const Scope& scope);
  Result<Scope> include_scope(const File& file, const YAML::Node& entry, const std::filesystem::path& first,
                              const Scope& scope);
  Result<void> read_named_volumes(const File& file, const YAML::Node& volumes, const Scope& scope);
  Result<void> read_file_sources(const File& file, const YAML::Node& items, std::string_view what, const Scope& scope);

  Result<std::string> expand(const File& file, const Reference& reference, const Scope& scope) const;
  Result<void> check_set(const File& file, const Reference& reference, std::string_view expanded) const;
  /// The local path; nothing where it is empty, absolute (the parent's own) or remote.
  std::optional<std::filesystem::path> locate(std::string_view expanded, const Scope& scope) const;
  /// expand(), check_set() and locate().
  Result<std::optional<std::filesystem::path>> resolve(const File& file, const Reference& reference,
                                                       const Scope& scope) const;
  Result<std::optional<std::filesystem::path>> compose_path(const File& file, const Reference& reference,
                                                            const Scope& scope) const;
  Result<void> stage(const File& file, const Reference& reference, bool bind_mount, Missing missing,
                     const Scope& scope);
  Result<void> stage_expanded(const File& file, const Reference& reference, std::string_view expanded, bool bind_mount,
                              Missing missing, const Scope& scope);
  void take_names(const YAML::Node& environment);
  void take_interpolated(const YAML::Node& service);
  bool take_interpolated_below(const YAML::Node& value);
  static bool has_variable_names(const YAML::Node& value);
  void take_name(const std::string& name);
  [[nodiscard]] std::filesystem::path home() const;

  const GetEnv& getenv_;
  StageLayout layout_;
  const Extent extent_;
  std::filesystem::path project_;  ///< where Compose reads a relative seccomp profile, whichever file names it
  std::set<std::string> variables_;
  ComposeService* reading_ = nullptr;  ///< the service whose definition is being read
  struct Definition {
    ComposeService service;
    std::string origin, place;
  };
  std::map<std::string, Definition> services_;
  std::set<std::string> included_;  ///< already read
  std::set<std::string> extended_;  ///< by the service being read
};

}  // namespace otto::compose
