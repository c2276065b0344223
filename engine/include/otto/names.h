// Names that otto gives on a parent: compose projects and image tags. Pure, but for the environment and the account.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto::docker {

/// "otto-<repo>-<suffix>", lower case, only characters Compose allows; suffix: OTTO_COMPOSE_SUFFIX, else the user's
/// name.
std::string get_user_compose_project(std::string_view repo_name,
                                     const std::optional<std::string>& suffix = std::nullopt);
/// "[registry/]<project>-<image>:<hash>"; the registry is named when it is not docker.io.
std::string image_full_tag(std::string_view registry_url, std::string_view project, std::string_view image,
                           std::string_view hash);
std::string image_latest_tag(std::string_view registry_url, std::string_view project, std::string_view image);

}  // namespace otto::docker
