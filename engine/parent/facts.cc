#include "engine/parent/facts.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::parent {

namespace {

constexpr std::string_view kFactsVersion = "facts=4";

std::string settings_key(const ParentSettings& settings) {
  return text::shell_join(settings.docker_command) + "|" + settings.stage_dir.value_or("");
}

}  // namespace

void take_fact(ParentFacts& facts, std::string_view name, const std::string& value) {
  if (name == "stage_root") facts.stage_root = value;
  if (name == "engine") facts.engine_version = value;
  if (name == "buildx") facts.has_buildx = true;
  if (name == "compose") facts.compose_version = value.starts_with('v') ? value.substr(1) : value;
  if (name == "standalone") facts.compose_standalone = true;
  if (name == "zstd") facts.has_zstd = true;
  if (name == "gzip") facts.has_gzip = true;
  if (name == "account") facts.account = value;
  if (name == "locks") facts.lock_root = value;
}

std::string serialize(const ParentFacts& facts, const ParentSettings& settings) {
  return fmt::format(
      "{}\nkey={}\nstage_root={}\nengine={}\nbuildx={}\ncompose={}\nstandalone={}\nzstd={}\ngzip={}\naccount={}\nlocks="
      "{}\n",
      kFactsVersion, settings_key(settings), facts.stage_root, facts.engine_version, facts.has_buildx ? "1" : "",
      facts.compose_version, facts.compose_standalone ? "1" : "", facts.has_zstd ? "1" : "", facts.has_gzip ? "1" : "",
      facts.account, facts.lock_root);
}

std::optional<ParentFacts> parse_facts(std::string_view text, const ParentSettings& settings) {
  const std::vector<std::string> lines = text::split(text, '\n');
  if (lines.size() < 2 || lines[0] != kFactsVersion || lines[1] != "key=" + settings_key(settings)) return std::nullopt;
  ParentFacts facts;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    const std::size_t equals = lines[i].find('=');
    if (equals == std::string::npos || equals + 1 == lines[i].size()) continue;
    take_fact(facts, lines[i].substr(0, equals), lines[i].substr(equals + 1));
  }
  if (facts.stage_root.empty() || facts.engine_version.empty() || facts.lock_root.empty()) return std::nullopt;
  return facts;
}

}  // namespace otto::parent
