#include "engine/parent/docker_command.h"

#include <fmt/format.h>

#include <vector>

#include "engine/parent/other_user.h"
#include "graph/base/text.h"

namespace otto::parent {

namespace {

bool contains(std::string_view haystack, std::string_view needle) {
  return haystack.find(needle) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> standalone_compose(std::vector<std::string> command) {
  for (std::string& word : command) {
    const std::size_t slash = word.rfind('/');
    if (word.substr(slash == std::string::npos ? 0 : slash + 1) == "docker") word += "-compose";
  }
  return command;
}

std::string stage_root_word(const ParentSettings& settings) {
  return settings.stage_dir ? text::shell_quote(*settings.stage_dir + "/otto-stages")
                            : std::string("\"${XDG_CACHE_HOME:-$HOME/.cache}/otto/stages\"");
}

std::string docker_prelude(const ParentSettings& settings) {
  const std::string docker = text::shell_join(settings.docker_command);
  const std::string compose = text::shell_join(standalone_compose(settings.docker_command));
  const bool other_user = changes_user(settings.docker_command);
  // Non-interactive logins often lack the directories that docker is installed in (docker/cli#3045).
  return fmt::format(
      "PATH=\"$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin:/opt/bin\"; export PATH\n"
      "{hangable}otto_docker() {{ {docker} \"$@\"; }}\n"
      "otto_docker_compose() {{ {compose} \"$@\"; }}\n"
      "otto_docker_job() {{ {prefix}{docker} \"$@\"; }}\n"
      "otto_docker_compose_job() {{ {prefix}{compose} \"$@\"; }}\n"
      "command -v {program} >/dev/null 2>&1 || exit {missing}\n",
      fmt::arg("hangable", other_user ? hangable_function() : ""),
      fmt::arg("prefix", other_user ? "otto_hangable " : ""), fmt::arg("docker", docker), fmt::arg("compose", compose),
      fmt::arg("program", text::shell_quote(settings.docker_command.front())), fmt::arg("missing", kNoDockerExit));
}

Error docker_error(const transport::Output& output, std::string_view host_id, ErrorCode otherwise,
                   std::string_view what) {
  const std::string words(text::trim(text::printable(output.err)));
  if (output.status.shell_code() == kNoDockerExit || contains(words, "docker: command not found") ||
      contains(words, "docker: not found")) {
    return make_error(ErrorCode::kDockerMissing, fmt::format("host '{}' has no docker command", host_id),
                      "install Docker there, or name the command with \"docker_command\" in hosts.json");
  }
  if (contains(words, "permission denied") && (contains(words, "docker") || contains(words, "Docker"))) {
    return make_error(ErrorCode::kDockerDenied,
                      fmt::format("this user may not use Docker on host '{}': {}", host_id, words),
                      "ask for membership of the group 'docker' there (usermod -aG docker USER), or set "
                      "\"docker_command\": [\"sudo\", \"-n\", \"docker\"] in hosts.json");
  }
  if (contains(words, "sudo:")) {
    return make_error(ErrorCode::kDockerDenied, fmt::format("sudo refuses docker on host '{}': {}", host_id, words),
                      "allow it in sudoers with NOPASSWD for docker, or log in as a user of the group 'docker'");
  }
  if (contains(words, "Cannot connect to the Docker daemon") || contains(words, "error during connect")) {
    return make_error(ErrorCode::kDockerMissing,
                      fmt::format("no Docker engine answers on host '{}': {}", host_id, words),
                      "start it there: systemctl start docker");
  }
  if (!output.status.signal.empty()) {
    return make_error(otherwise, fmt::format("{} on host '{}': ended by signal {}{}{}", what, host_id,
                                             output.status.signal, words.empty() ? "" : "\n", words));
  }
  return make_error(otherwise, fmt::format("{} on host '{}' (exit {}){}{}", what, host_id, output.status.code,
                                           words.empty() ? "" : ":\n", words));
}

std::string idle_remedy(std::string_view state, std::string_view host_id, std::string_view container_id) {
  if (state == "unhealthy") {  // what a health check prints is in no log
    return fmt::format("on host '{}' `docker inspect --format '{{{{json .State.Health}}}}' {}` says why", host_id,
                       container_id.substr(0, 12));
  }
  const bool paused = state == "paused";
  return fmt::format("on host '{}' `docker {} {}` {}", host_id, paused ? "unpause" : "logs", container_id.substr(0, 12),
                     paused ? "lets it go on" : "says why");
}

}  // namespace otto::parent
