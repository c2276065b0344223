// What is different about Compose v1 (docker-compose 1.28 and 1.29, the last of it): its env files, the answer of
// `config`, `down`.
//
// v1 reads today's file format (without `include` and a few newer keys), labels containers, networks and volumes as v2
// does, and takes the same flags of `up`. It answers `config` in YAML only, and cannot take a stack down without its
// files. Pure.
#pragma once

#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto::stack {

/// kUnsupported below 1.28: profiles, health conditions and files without `version` came with 1.27 and 1.28.
Result<void> check_v1_version(std::string_view version, std::string_view host_id);

/// One line of a dotenv file as python-dotenv reads it back to exactly `value`.
std::string v1_env_file_line(std::string_view name, std::string_view value);

/// `docker-compose config`'s YAML as the JSON that Compose v2 prints. kComposeFailed where it is no YAML; kUnsupported
/// where a service uses `configs`, which v1 passes by with a warning.
Result<std::string> v1_config_as_json(const std::string& yaml);

/// `down --remove-orphans` of what carries the project's label, without its files.
std::string labelled_down_script(std::string_view project, unsigned timeout_s, bool volumes);

/// A failure of Compose v1 may be about keys it does not know yet: says so.
Error with_v1_hint(Error error);

}  // namespace otto::stack
