#include "cli/command_line/verb.h"

#include <array>

#include "cli/command_line/exit_code.h"

namespace otto::cli {

int Verb::exit_code_of(const Error& error) const { return exit_code(error.code); }

std::span<const VerbInfo* const> all_verbs() {
  static constexpr std::array<const VerbInfo*, 15> kVerbs = {
      &kDockerBuild,   &kDockerUp,      &kDockerDown,  &kDockerPs, &kDockerContext,
      &kDockerExplain, &kDockerHistory, &kDockerPrune, &kGraph,    &kDoctor,
      &kHostRun,       &kHostOneshot,   &kHostLogin,   &kHostPut,  &kHostGet,
  };
  return kVerbs;
}

std::span<const GroupInfo> all_groups() {
  static constexpr std::array<GroupInfo, 2> kGroups = {{
      {"docker", "images and compose stacks on lab hosts"},
      {"host", "commands and files on a machine or in a container of the lab"},
  }};
  return kGroups;
}

}  // namespace otto::cli
