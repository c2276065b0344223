#include "engine/docker/compose.h"

#include <fmt/format.h>

#include "engine/docker/compose_v1.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

std::string quote(std::string_view word) { return text::shell_quote(word); }

/// Variables that the docker command itself needs; they reach Compose by --env-file only.
bool steers_docker(std::string_view name) {
  return name == "PATH" || name == "HOME" || name.starts_with("DOCKER_") || name.starts_with("COMPOSE_");
}

constexpr std::string_view kAwaitFunctions = R"sh(
otto_states() {
  ids=$(otto_docker ps -aq --no-trunc --filter label=com.docker.compose.project="$project" \
    --filter label=com.docker.compose.service="$1" --filter label=com.docker.compose.oneoff=False) || exit 1
  [ -n "$ids" ] || { echo "service '$1' has no container" >&2; exit 1; }
  otto_docker container inspect --format '{{.State.Status}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' $ids
}
otto_await() {
  while :; do
    waiting=
    states=$(otto_states "$1") || exit 1
    while read -r status code health; do
      case "$2:$status:$code:$health" in
        completed:exited:0:*|up:exited:0:*|*:running:*:healthy|up:running:*:) ;;
        healthy:running:*:) echo "service '$1' has no health check, but others wait for it to be healthy" >&2; exit 1 ;;
        *:unhealthy) echo "service '$1' is unhealthy" >&2; exit 1 ;;
        *:exited:*|*:dead:*) echo "service '$1' exited with code $code" >&2
          otto_docker logs --tail 10 $ids >&2; exit 1 ;;
        *) waiting=1 ;;
      esac
    done <<END
$states
END
    [ -n "$waiting" ] || return 0
    sleep 0.2
  done
}
)sh";

}  // namespace

std::string env_file_line(std::string_view name, std::string_view value, bool compose_v1) {
  if (compose_v1) return v1_env_file_line(name, value);
  std::string line(name);
  line += "=\"";
  for (const char c : value) {
    switch (c) {
      case '\n': line += "\\n"; break;
      case '\r': line += "\\r"; break;
      case '"':
      case '\\':
      case '$':
        line += '\\';
        line += c;
        break;
      default: line += c;
    }
  }
  return line + "\"\n";
}

Result<void> Compose::check_compose() const {
  if (facts_.compose_version.empty()) {
    return make_error(ErrorCode::kUnsupported, fmt::format("host '{}' has Docker without Compose", remote_.host_id()),
                      "install the package docker-compose (or docker-compose-plugin) there");
  }
  return facts_.compose_v1() ? check_v1_version(facts_.compose_version, remote_.host_id()) : Result<void>();
}

std::string Compose::command() const {
  return facts_.compose_standalone ? "otto_docker_compose" : "otto_docker compose";
}

Result<transport::Output> Compose::run(std::string text, std::string_view what) {
  transport::Script script;
  script.text = docker_prelude(settings_) + std::move(text);
  script.stop = stop_;
  OTTO_TRY(transport::Output output, remote_.run_job(script));
  if (output.status.success()) return output;
  return docker_error(output, remote_.host_id(), ErrorCode::kComposeFailed, what);
}

std::string Compose::stack_head(const ComposeStack& stack, const std::string& override_yaml) const {
  std::string env_file, environment;
  for (const std::string& name : stack.variables) {
    const auto value = stack.environment.find(name);
    if (value != stack.environment.end()) env_file += env_file_line(name, value->second, facts_.compose_v1());
    if (steers_docker(name)) continue;
    environment += value == stack.environment.end() ? "unset " + name + "\n"
                                                    : fmt::format("export {}={}\n", name, quote(value->second));
  }
  if (!stack.home_directory.empty()) {
    environment += fmt::format("export DOCKER_CONFIG=\"${{DOCKER_CONFIG:-$HOME/.docker}}\" HOME={}\n",
                               quote(stack.stage_directory + "/" + stack.home_directory));
  }
  std::string files;
  for (const std::string& file : stack.files) files += " -f " + quote(stack.stage_directory + "/" + file);
  std::string head = fmt::format(
      "work=$(mktemp -d {}/compose.XXXXXXXXXX) || exit 1\n"
      "trap 'rm -rf \"$work\"' EXIT\ntrap 'exit 143' TERM INT HUP\n"
      "printf %s {} > \"$work/env\" || exit 1\n",
      quote(facts_.stage_root), quote(env_file));
  if (!override_yaml.empty()) {
    head += fmt::format("printf %s {} > \"$work/override.yml\" || exit 1\n", quote(override_yaml));
    files += " -f \"$work/override.yml\"";
  }
  return head + fmt::format(
                    "otto_compose() {{\n  {} --ansi never -p {} --project-directory {} --env-file "
                    "\"$work/env\"{}{} \"$@\"\n}}\n{}",
                    command(), quote(stack.project), quote(stack.stage_directory + "/" + stack.project_directory),
                    files, facts_.compose_v1() ? "" : " --profile '*'", environment);
}

Result<std::string> Compose::config(const ComposeStack& stack) {
  OTTO_RETURN_IF_ERROR(check_compose());
  const bool v1 = facts_.compose_v1();
  auto output =
      run(stack_head(stack, "") + fmt::format("otto_compose config{} </dev/null\n", v1 ? "" : " --format json"),
          "the compose files are refused");
  if (!output.ok()) return v1 ? with_v1_hint(std::move(output).error()) : std::move(output).error();
  return v1 ? v1_config_as_json(output->out) : Result<std::string>(std::move(output->out));
}

Result<void> Compose::up(const ComposeStack& stack, const std::string& override_yaml,
                         const std::vector<std::string>& services, Mode mode) {
  OTTO_RETURN_IF_ERROR(check_compose());
  const std::string flags = mode == Mode::kRecreate ? "--force-recreate" : "--no-recreate";
  const std::string script =
      stack_head(stack, override_yaml) +
      fmt::format("otto_compose up -d --no-deps --no-build {} {} >&2 </dev/null\n", flags, text::shell_join(services));
  OTTO_RETURN_IF_ERROR(run(script, fmt::format("docker compose up failed for {}", text::join(services, ", "))));
  return {};
}

Result<void> Compose::await_lines(const std::string& project, const std::string& lines) {
  if (lines.empty()) return {};
  OTTO_RETURN_IF_ERROR(run(fmt::format("project={}\n{}{}", quote(project), kAwaitFunctions, lines),
                           "a condition of the stack cannot be met"));
  return {};
}

Result<void> Compose::await(const std::string& project, const std::vector<Dependency>& conditions) {
  std::string lines;
  for (const Dependency& condition : conditions) {
    if (condition.condition == DependencyCondition::kStarted) continue;
    const bool healthy = condition.condition == DependencyCondition::kHealthy;
    lines += fmt::format("otto_await {} {}\n", quote(condition.service), healthy ? "healthy" : "completed");
  }
  return await_lines(project, lines);
}

Result<void> Compose::await_up(const std::string& project, const std::vector<std::string>& services) {
  std::string lines;
  for (const std::string& service : services) lines += fmt::format("otto_await {} up\n", quote(service));
  return await_lines(project, lines);
}

Result<void> Compose::down(const std::string& project, unsigned timeout_s, bool volumes) {
  OTTO_RETURN_IF_ERROR(check_compose());
  if (facts_.compose_v1()) {
    OTTO_RETURN_IF_ERROR(run(v1_down_script(project, timeout_s, volumes), "taking the stack down failed"));
    return {};
  }
  const std::string script = fmt::format("{} --ansi never -p {} down --remove-orphans --timeout {}{} >&2 </dev/null\n",
                                         command(), quote(project), timeout_s, volumes ? " --volumes" : "");
  OTTO_RETURN_IF_ERROR(run(script, "docker compose down failed"));
  return {};
}

Result<void> Compose::remove_containers(const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  OTTO_RETURN_IF_ERROR(run("otto_docker rm -f " + text::shell_join(ids) + " >/dev/null </dev/null\n",
                           "containers of removed services cannot be removed"));
  return {};
}

}  // namespace otto::docker
