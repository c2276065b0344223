// What rarely changes of a parent: its tools, their versions, its folders. Remembered in the memo, and asked again when
// something contradicts it (probe.h asks).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otto::parent {

/// Where stages live on a parent and what it can do; a remembered fact.
struct StageTools {
  std::string root;  ///< absolute directory for stages, per user, 0700
  bool has_zstd = false;
  bool has_gzip = false;
};

struct ParentFacts {
  std::string stage_root;      ///< absolute
  std::string engine_version;  ///< "26.1.5"
  bool has_buildx = false;
  std::string compose_version;  ///< "2.26.1", "1.29.2"; empty: no Compose
  bool has_zstd = false;
  bool has_gzip = false;
  bool compose_standalone = false;  ///< Compose is the command docker-compose, not docker's plugin
  std::string account;              ///< whom otto is there
  std::string lock_root;            ///< absolute; for one account and one engine (lock_script.h)
  [[nodiscard]] bool compose_v1() const { return compose_version.starts_with("1."); }
  [[nodiscard]] StageTools stage_tools() const { return {stage_root, has_zstd, has_gzip}; }
};

/// What decides whether remembered facts still fit the configuration, and what the scripts need from it.
struct ParentSettings {
  std::vector<std::string> docker_command = {"docker"};
  std::optional<std::string> stage_dir;
};

/// Takes one fact as the scripts name it.
void take_fact(ParentFacts& facts, std::string_view name, const std::string& value);

std::string serialize(const ParentFacts& facts, const ParentSettings& settings);
/// nullopt: of another version or gathered under other settings.
std::optional<ParentFacts> parse_facts(std::string_view text, const ParentSettings& settings);

}  // namespace otto::parent
