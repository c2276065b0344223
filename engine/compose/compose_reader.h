// Collects from a stack's model (model.h) what it takes from this machine: services, builds, files, variables. Internal
// to compose/; compose_file.h is the door.
//
// What an idle service names (its profiles are off) and what no active one uses is staged where it is there and missed
// nowhere, as Compose does not look at it.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compose/compose_file.h"
#include "engine/compose/model.h"
#include "engine/compose/paths.h"
#include "engine/compose/stage_layout.h"

namespace otto::compose {

/// kBuilds: files that are only staged are passed over.
enum class Extent { kEverything, kBuilds };

class ComposeReader {
 public:
  ComposeReader(const std::filesystem::path& root, const GetEnv& getenv, Extent extent, const StageAnchor& anchor,
                const Model& model)
      : paths_(getenv), layout_(root, anchor), extent_(extent), model_(model) {}

  Result<ComposeInputs> run(const std::vector<std::filesystem::path>& files, const std::vector<std::string>& named);

 private:
  /// What a missing file means.
  enum class Missing { kError, kOptional };

  Result<void> read_service(const Node::Member& service);
  static Result<void> read_own_words(const Node& words, ComposeService& made);
  Result<void> read_staged(const Node& service, ComposeService& made);
  Result<void> read_env_files(const Node& list, ComposeService& made);
  Result<void> read_label_files(const Node& list, ComposeService& made);
  Result<void> read_security_opts(const Node& list);
  Result<void> read_volume(const Node& volume);
  Result<void> read_named_volumes(const Node& volumes);
  Result<void> read_file_sources(const Node& items, std::string_view kind, std::string_view what);
  void take_uses(const Node& service);
  /// The service, and what it depends on.
  void take_named(const std::string& service);

  Result<void> stage(const PathReference& path, bool bind_mount, Missing missing);
  Result<void> stage_expanded(const PathReference& path, std::string_view expanded, bool bind_mount, Missing missing,
                              const std::filesystem::path& directory);

  void take_bare_names(const Node& environment, ComposeService::Sources* sources);
  void take_interpolated(const Node& service, ComposeService::Sources& sources);
  void take_name(const std::string& name, ComposeService::Sources* sources);

  const Paths paths_;
  StageLayout layout_;
  const Extent extent_;
  const Model& model_;
  std::vector<ComposeService> services_;
  std::set<std::string> variables_;
  std::set<std::string> active_profiles_;
  std::set<std::string> named_;
  std::set<std::string> used_;  ///< "secrets/NAME", "configs/NAME", "volumes/NAME" of active services
  bool is_idle_ = false;        ///< what is being read now
};

/// The `build:` section of a service, whose platform it takes where it names none. kConfig with its place.
Result<ComposeBuild> read_build(const Node& service, const Paths& paths, const Model& model);

}  // namespace otto::compose
