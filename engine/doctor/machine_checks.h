// What a connected machine must offer: a shell, supervised jobs, tools, a stage, Docker.
//
// The scripts that look, and the judgement of what they answer, apart, so that the judgement can be tested without a
// host. Answers are lines of "NAME<tab>VALUE".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/doctor/checks.h"
#include "engine/parent/docker_command.h"
#include "transport/remote.h"

namespace otto::doctor {

/// Lines of an answer by their names, those of one name in their order.
using Answers = std::multimap<std::string, std::string>;
Answers parse_answers(std::string_view text);

/// A short query: which shell, which system, what time.
std::string shell_script();
/// A supervised job: tools that are missing and, on a parent, the stage's folder.
std::string machine_script(bool docker_capable, const parent::ParentSettings& settings);
/// On a parent: its docker command and the disk that the engine writes to; exits as docker_prelude() says.
std::string docker_script(const parent::ParentSettings& settings);

/// The span of this machine's clock, in seconds, in which the host was asked for its time.
struct Asked {
  std::int64_t before_s = 0, after_s = 0;
};

/// From the outcome of shell_script(): "shell", and "clock" where the shell answered.
std::vector<Check> judge_shell(const std::string& host_id, Result<transport::Output> output, const Asked& asked);
/// From machine_script(): "tools", and on a parent "stage".
std::vector<Check> judge_machine(const std::string& host_id, const Answers& answers, bool docker_capable);
/// "buildx", "compose" and "space". `needs_compose`: a repo has compose files.
std::vector<Check> judge_parent(const std::string& host_id, const parent::ParentFacts& facts, const Answers& docker,
                                bool needs_compose);

}  // namespace otto::doctor
