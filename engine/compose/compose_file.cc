#include "engine/compose/compose_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <cstdlib>
#include <optional>

#include "engine/compose/compose_reader.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace fs = std::filesystem;

namespace {

Result<ComposeInputs> read(const fs::path& root, const std::vector<fs::path>& files, const std::string& project,
                           const GetEnv& getenv, Extent wanted, const StageAnchor& anchor = {},
                           const std::vector<std::string>& named = {}) {
  const GetEnv environment = getenv ? getenv : [](const char* name) -> const char* { return std::getenv(name); };
  if (files.empty()) return make_error(ErrorCode::kConfig, "no compose file is given", "add [[docker.composes]]");
  try {
    OTTO_TRY(Scope scope, outer_scope(files.front(), environment, project));
    OTTO_TRY(const auto model, load_model(files, std::move(scope), environment));
    return ComposeReader(root, environment, wanted, anchor, *model).run(files, named);
  } catch (const fs::filesystem_error& problem) {
    return make_error(ErrorCode::kIo,
                      fmt::format("cannot look at '{}': {}", problem.path1().string(), problem.code().message()));
  }
}

}  // namespace

Result<ComposeInputs> read_compose_files(const fs::path& root, const std::vector<fs::path>& files,
                                         const std::string& project, const GetEnv& getenv, const StageAnchor& anchor,
                                         const std::vector<std::string>& named) {
  return read(root, files, project, getenv, Extent::kEverything, anchor, named);
}

Result<std::vector<ComposeService>> read_compose_builds(const fs::path& root, const std::vector<fs::path>& files,
                                                        const std::string& project, const GetEnv& getenv) {
  OTTO_TRY(ComposeInputs inputs, read(root, files, project, getenv, Extent::kBuilds));
  return std::move(inputs.services);
}

std::vector<std::string> active_profiles(std::string_view value) {
  std::vector<std::string> names = text::split(value, ',');
  for (std::string& name : names) name = std::string(text::trim(name));
  return names;
}

bool reaches_container(std::string_view key) {
  constexpr std::array<std::string_view, 7> kOthers = {"image",    "build", "pull_policy", "depends_on",
                                                       "profiles", "scale", "develop"};
  return !key.starts_with("x-") && std::ranges::find(kOthers, key) == kOthers.end();
}

std::string_view seccomp_profile(std::string_view security_option) {
  constexpr std::string_view kName = "seccomp";
  if (!security_option.starts_with(kName) || security_option.size() <= kName.size()) return {};
  const char separator = security_option[kName.size()];
  const std::string_view profile = security_option.substr(kName.size() + 1);
  const bool is_path = (separator == '=' || separator == ':') && profile != "unconfined" && profile != "builtin";
  return is_path ? profile : std::string_view();
}

}  // namespace otto::compose
