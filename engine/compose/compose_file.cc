#include "engine/compose/compose_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <cstdlib>
#include <optional>

#include "engine/compose/compose_reader.h"
#include "engine/compose/env_file.h"
#include "graph/base/whole_file.h"

namespace otto::compose {
namespace fs = std::filesystem;

namespace {

Result<ComposeInputs> read(const fs::path& root, const std::vector<fs::path>& files, const GetEnv& getenv,
                           ComposeReader::Extent wanted, const StageAnchor& anchor = {}) {
  const GetEnv environment = getenv ? getenv : [](const char* name) -> const char* { return std::getenv(name); };
  try {
    return ComposeReader(root, environment, wanted, anchor).run(files);
  } catch (const YAML::Exception& problem) {
    return make_error(ErrorCode::kConfig, fmt::format("{}:{}:{}: {}", files.empty() ? "" : files.front().string(),
                                                      problem.mark.line + 1, problem.mark.column + 1, problem.msg));
  } catch (const fs::filesystem_error& problem) {
    return make_error(ErrorCode::kIo,
                      fmt::format("cannot look at '{}': {}", problem.path1().string(), problem.code().message()));
  }
}

}  // namespace

Result<ComposeInputs> read_compose_files(const fs::path& root, const std::vector<fs::path>& files, const GetEnv& getenv,
                                         const StageAnchor& anchor) {
  return read(root, files, getenv, ComposeReader::Extent::kEverything, anchor);
}

Result<std::vector<ComposeService>> read_compose_builds(const fs::path& root, const std::vector<fs::path>& files,
                                                        const GetEnv& getenv) {
  OTTO_TRY(ComposeInputs inputs, read(root, files, getenv, ComposeReader::Extent::kBuilds));
  return std::move(inputs.services);
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

Result<std::map<std::string, std::string>> compose_environment(const ComposeInputs& inputs, const fs::path& env_file,
                                                               const GetEnv& getenv) {
  const Lookup outside = [&](std::string_view name) -> std::optional<std::string> {
    const char* value = getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  std::map<std::string, std::string> from_file;
  if (const auto text = read_whole_file(env_file)) {
    OTTO_TRY(from_file, parse_env_file(*text, env_file.string(), outside));
  }
  std::map<std::string, std::string> values;
  for (const std::string& name : inputs.variables) {
    const auto known = from_file.find(name);
    if (auto value = outside(name)) {
      values.emplace(name, *std::move(value));
    } else if (known != from_file.end()) {
      values.emplace(name, known->second);
    }
  }
  return values;
}

}  // namespace otto::compose
