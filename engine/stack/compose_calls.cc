#include "engine/stack/compose_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>
#include <regex>

#include "engine/parent/docker_command.h"
#include "engine/parent/lock_script.h"
#include "engine/parent/remote_lock.h"
#include "engine/stack/compose_v1.h"
#include "engine/stack/scripts.h"
#include "engine/stage/stage_script.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::stack {

namespace {

std::string quote(std::string_view word) { return text::shell_quote(word); }

/// Variables that the docker command itself needs, or that a shell keeps for itself (bash lets nobody set UID, and
/// gives RANDOM another value each time); they reach Compose by --env-file only.
bool by_file_only(std::string_view name) {
  constexpr auto kKept = std::to_array<std::string_view>(
      {"PATH", "HOME", "IFS", "UID", "EUID", "GROUPS", "PPID", "SHELLOPTS", "BASHOPTS", "BASHPID", "BASH_VERSINFO",
       "RANDOM", "SECONDS", "LINENO", "FUNCNAME", "DIRSTACK", "HISTCMD", "OPTIND"});
  return std::ranges::find(kKept, name) != kKept.end() || name.starts_with("DOCKER_") || name.starts_with("COMPOSE_") ||
         name.starts_with("LD_") || name.starts_with("otto_");
}

constexpr std::string_view kEarlyFormat =
    "{{.ID}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} "
    "{{index .Config.Labels \"com.docker.compose.service\"}} "
    "{{index .Config.Labels \"com.docker.compose.container-number\"}}";

std::vector<EarlyExit> read_early_exits(const std::string& answer) {
  std::vector<EarlyExit> all;
  for (const std::string& line : text::split(answer, '\n')) {
    const Record record(line);
    EarlyExit exit;
    std::string status;
    if (record.kind() == "otto-exit" && record.read(status, exit.service, exit.number, exit.code)) {
      exit.restarting = status == "restarting";
      all.push_back(std::move(exit));
    } else if (!all.empty() && !line.empty()) {
      all.back().log += (all.back().log.empty() ? "" : "\n") + text::printable(line);
    }
  }
  return all;
}

/// Compose's progress as it comes: which containers are being stopped. v2 says "Container NAME  Recreate", then
/// "Recreated"; v1 says "Recreating NAME ... ", then the same with "done".
class UpWatch {
 public:
  explicit UpWatch(const std::function<void(std::string_view, bool)>& on_stop) : on_stop_(on_stop) {}

  void take(std::string_view bytes) {
    pending_ += bytes;
    for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1)) {
      const std::string line = pending_.substr(0, end);
      words_ += line + "\n";
      if (on_stop_) read(line);
    }
  }
  /// All that was said.
  [[nodiscard]] std::string words() const { return words_ + pending_; }

 private:
  void read(const std::string& line) const {
    std::vector<std::string> words = text::split(line, ' ');
    std::erase(words, "");
    if (words.size() < 3) return;
    if (words[0] == "Container") {
      if (words[2] == "Recreate") on_stop_(words[1], true);
      if (words[2] == "Recreated") on_stop_(words[1], false);
    } else if (words[0] == "Recreating") {
      on_stop_(words[1], words.back() != "done");
    }
  }

  const std::function<void(std::string_view, bool)>& on_stop_;
  std::string pending_, words_;
};

/// libnetwork now and then does not yet know a network that was made a moment ago.
bool lost_a_network(const transport::Output& output) {
  return !output.status.success() && std::regex_search(output.err, std::regex("network [^ ]+ not found"));
}

/// No other machine's is named.
bool has_own_engine(const std::vector<std::string>& docker_command) {
  constexpr std::array<std::string_view, 4> kElsewhere = {"-H", "--host", "-c", "--context"};
  return std::ranges::none_of(docker_command, [&](const std::string& word) {
    return std::ranges::any_of(kElsewhere, [&](std::string_view option) { return word.starts_with(option); });
  });
}

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

Result<void> RemoteCompose::check_compose() const {
  if (facts_.compose_version.empty()) {
    return make_error(ErrorCode::kUnsupported, fmt::format("host '{}' has Docker without Compose", remote_.host_id()),
                      "install the package docker-compose (or docker-compose-plugin) there");
  }
  return facts_.compose_v1() ? check_v1_version(facts_.compose_version, remote_.host_id()) : Result<void>();
}

/// Compose takes a variable from its own environment first. So where the stack's files name HOME or PATH, which that
/// has for the docker command's sake, it is given the client's: HOME by taking it away (--env-file has it), PATH as it
/// is. A docker command of several words (sudo, env, nice) finds its program itself, and may change the environment.
std::string RemoteCompose::command(const ComposeStack& stack) const {
  const auto path = stack.environment.find("PATH");
  const bool takes_home = stack.environment.contains("HOME") && stack.home_directory.empty();
  const bool is_one_program = settings_.docker_command.size() == 1;
  if ((path == stack.environment.end() && !takes_home) || !is_one_program) {
    return facts_.compose_standalone ? "otto_docker_compose_job" : "otto_docker_job compose";
  }
  std::string command = "env";
  if (takes_home) command += " -u HOME \"DOCKER_CONFIG=${DOCKER_CONFIG:-$HOME/.docker}\"";
  if (path != stack.environment.end()) command += " " + quote("PATH=" + path->second);
  const std::string program = facts_.compose_standalone ? parent::standalone_compose(settings_.docker_command).front()
                                                        : settings_.docker_command.front();
  return command + fmt::format(" \"$(command -v {})\"{}", quote(program), facts_.compose_standalone ? "" : " compose");
}

Result<transport::Output> RemoteCompose::call(std::string text, transport::OutputSink on_output) {
  transport::Script script;
  script.text = parent::docker_prelude(settings_) + std::move(text);
  script.on_output = std::move(on_output);
  script.stop = stop_;
  return remote_.run_job(script);
}

Result<transport::Output> RemoteCompose::run(std::string text, std::string_view what) {
  OTTO_TRY(transport::Output output, call(std::move(text)));
  if (output.status.success()) return output;
  return parent::docker_error(output, remote_.host_id(), ErrorCode::kComposeFailed, what);
}

/// As call(), for what changes something: gives what a failure printed, too.
Result<transport::Output> RemoteCompose::change(const Change& change) {
  OTTO_TRY(transport::Output output,
           call(parent::project_work_text(facts_, {project_, turn_}, change.doomed) + change.text, change.on_output));
  if (output.status.shell_code() != parent::kNoLockExit) return output;
  return parent::turn_lost(project_, remote_.host_id());
}

Result<void> RemoteCompose::changed(const Change& change) {
  OTTO_TRY(const transport::Output output, this->change(change));
  if (output.status.success()) return {};
  return parent::docker_error(output, remote_.host_id(), ErrorCode::kComposeFailed, change.what);
}

std::string RemoteCompose::stack_head(const ComposeStack& stack, const std::string& override_yaml) const {
  return stage::job_folder_text(facts_.stage_root, "compose") +
         head(stack, quote(stack.stage_directory), override_yaml);
}

/// `tree`: a word for the shell. The job's folder is there.
std::string RemoteCompose::head(const ComposeStack& stack, std::string_view tree,
                                const std::string& override_yaml) const {
  std::string env_file, environment;
  for (const std::string& name : stack.variables) {
    const auto value = stack.environment.find(name);
    if (value != stack.environment.end()) env_file += env_file_line(name, value->second, facts_.compose_v1());
    if (by_file_only(name)) continue;
    environment += value == stack.environment.end() ? "unset " + name + "\n"
                                                    : fmt::format("export {}={}\n", name, quote(value->second));
  }
  if (!stack.home_directory.empty()) {
    environment += fmt::format("export DOCKER_CONFIG=\"${{DOCKER_CONFIG:-$HOME/.docker}}\" HOME={}{}\n", tree,
                               quote("/" + stack.home_directory));
  }
  std::string files;
  for (const std::string& file : stack.files) files += fmt::format(" -f {}{}", tree, quote("/" + file));
  std::string head = fmt::format("printf %s {} > \"$otto_work/env\" || exit 1\n", quote(env_file));
  if (!stack.without_env_files.empty() && !facts_.compose_v1()) {
    std::string idle = "services:\n";
    for (const std::string& service : stack.without_env_files) {
      idle += fmt::format("  {}: {{env_file: !reset []}}\n",
                          nlohmann::json(service).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    head += fmt::format("printf %s {} > \"$otto_work/idle.yml\" || exit 1\n", quote(idle));
    files += " -f \"$otto_work/idle.yml\"";
  }
  if (!override_yaml.empty()) {
    head += fmt::format("printf %s {} > \"$otto_work/override.yml\" || exit 1\n", quote(override_yaml));
    files += " -f \"$otto_work/override.yml\"";
  }
  return head + fmt::format(
                    "otto_compose() {{\n  otto_awaited {} --ansi never -p {} --project-directory {}{} --env-file "
                    "\"$otto_work/env\"{}{} \"$@\"\n}}\n{}",
                    command(stack), quote(stack.project), tree, quote("/" + stack.project_directory), files,
                    facts_.compose_v1() ? "" : " --profile '*'", environment);
}

Result<std::string> RemoteCompose::config(const ComposeStack& stack) {
  OTTO_RETURN_IF_ERROR(check_compose());
  OTTO_TRY(transport::Output answer, call(parent::project_turn_text(facts_, {project_, turn_}, parent::kNoLockExit) +
                                          stack_head(stack, "") + config_call()));
  if (answer.status.shell_code() == parent::kNoLockExit) return parent::turn_lost(project_, remote_.host_id());
  return read_config(std::move(answer));
}

Result<std::string> RemoteCompose::config_of(const ComposeStack& stack, const ScratchFiles& files) {
  OTTO_RETURN_IF_ERROR(check_compose());
  std::string script = stage::scratch_folder_text(facts_.stage_root, "compose");
  script += fmt::format("otto_tree=\"$otto_work/{}\"\n{}", kScratchTree, kScratchScript);
  for (const auto& [path, text] : files.files) script += fmt::format("otto_bring {} {}\n", quote(path), quote(text));
  for (const auto& [path, to] : files.links) script += fmt::format("otto_link {} {}\n", quote(path), quote(to));
  const std::string tree = "/" + std::string(kScratchTree);
  OTTO_TRY(transport::Output answer, call(script + head(stack, "\"$otto_work\"" + tree, "") + config_call()));
  const std::string folder = answer.out.substr(0, answer.out.find('\n'));
  answer.out.erase(0, folder.size() + 1);
  if (folder.empty()) return read_config(std::move(answer));
  const std::string beside = stack.stage_directory.substr(0, stack.stage_directory.rfind('/'));
  for (std::string* words :
       {&answer.out, &answer.err}) {  // nothing beside the tree has a name that begins like its own
    *words = text::replace_all(std::move(*words), folder + tree, stack.stage_directory);
    *words = text::replace_all(std::move(*words), folder + "/", beside + "/");
  }
  return read_config(std::move(answer));
}

std::string RemoteCompose::config_call() const {
  return fmt::format("otto_compose config{}\n", facts_.compose_v1() ? "" : " --format json");
}

Result<std::string> RemoteCompose::read_config(transport::Output answer) const {
  const bool v1 = facts_.compose_v1();
  if (!answer.status.success()) {
    Error refused =
        parent::docker_error(answer, remote_.host_id(), ErrorCode::kComposeFailed, "the compose files are refused");
    if (v1) return with_v1_hint(std::move(refused));
    if (refused.hint.empty())
      refused.hint = "these are the words of the parent's Compose: correct the file that they name";
    return refused;
  }
  return v1 ? v1_config_as_json(answer.out) : Result<std::string>(std::move(answer.out));
}

Result<bool> RemoteCompose::up(const ComposeStack& stack, const UpCall& call) {
  OTTO_RETURN_IF_ERROR(check_compose());
  const std::string flags = call.mode == UpCall::Mode::kRecreate ? "--force-recreate" : "--no-recreate";
  UpWatch watch(call.on_stop);
  Change change;
  change.text = stack_head(stack, call.override_yaml) +
                fmt::format("otto_compose up -d --no-deps --no-build --timeout {} {} {} >&2\n", call.grace_s, flags,
                            text::shell_join(call.services));
  change.doomed = call.doomed;
  change.on_output = [&watch](transport::Stream, std::string_view bytes) { watch.take(bytes); };
  OTTO_TRY(transport::Output output, this->change(change));
  output.err = watch.words();
  const bool repeated = lost_a_network(output);
  if (repeated) {
    OTTO_TRY(output, this->change(change));
    output.err = watch.words();
  }
  if (output.status.success()) return repeated;
  return parent::docker_error(output, remote_.host_id(), ErrorCode::kComposeFailed,
                              fmt::format("docker compose up failed for {}", text::join(call.services, ", ")));
}

Result<std::vector<EarlyExit>> RemoteCompose::early_exits(const parent::Started& started,
                                                          const std::function<void()>& meanwhile) {
  auto exits = std::async(std::launch::async, [&] { return watch(started); });
  meanwhile();
  return exits.get();
}

Result<std::vector<EarlyExit>> RemoteCompose::watch(const parent::Started& started) {
  if (started.services.empty()) return std::vector<EarlyExit>();
  OTTO_TRY(
      const transport::Output output,
      run(fmt::format("project={}\nformat={}\none_shots={} replaced={}\nsince={} starts={} here={}\nset -- {}\n{}",
                      quote(project_), quote(kEarlyFormat), quote(fmt::format("{}", fmt::join(started.one_shots, " "))),
                      quote(text::join(started.replaced, " ")), started.since.count(), started.starts,
                      has_own_engine(settings_.docker_command) ? "1" : "", text::shell_join(started.services),
                      kEarlyExitsScript),
          "the containers just started cannot be looked at"));
  return read_early_exits(output.out);
}

Result<void> RemoteCompose::await_lines(const std::string& lines) {
  if (lines.empty()) return {};
  OTTO_RETURN_IF_ERROR(run(fmt::format("project={}\n{}{}", quote(project_), kAwaitScript, lines),
                           "a condition of the stack cannot be met"));
  return {};
}

Result<void> RemoteCompose::await(const std::vector<parent::Dependency>& conditions) {
  std::string lines;
  for (const parent::Dependency& condition : conditions) {
    if (condition.condition == parent::DependencyCondition::kStarted) continue;
    const bool healthy = condition.condition == parent::DependencyCondition::kHealthy;
    const std::string line =
        fmt::format("otto_await {} {}", quote(condition.service), healthy ? "healthy" : "completed");
    lines += condition.required ? line + "\n" : "( " + line + " ) || :\n";
  }
  return await_lines(lines);
}

Result<void> RemoteCompose::await_up(const std::vector<std::string>& services, const std::set<std::string>& one_shots) {
  if (services.empty()) return {};
  std::string lines = "failed=\n";
  for (const std::string& service : services) {  // each that fails is named
    lines +=
        fmt::format("( otto_await {} {} ) || failed=1\n", quote(service), one_shots.contains(service) ? "over" : "up");
  }
  return await_lines(lines + "[ -z \"$failed\" ]\n");
}

Result<void> RemoteCompose::put_right(const std::vector<parent::PutRight>& steps,
                                      const std::vector<std::string>& doomed) {
  std::string script;
  for (const parent::PutRight& step : steps) {
    script += step.act == parent::PutRight::Act::kRemove
                  ? fmt::format("otto_docker rm -f {}", quote(step.container_id))
                  : fmt::format("otto_docker rename {} {}", quote(step.container_id), quote(step.plain_name));
    script += " >/dev/null </dev/null || exit 1\n";
  }
  return changed({script, "what an interrupted command left cannot be put right", doomed});
}

Result<void> RemoteCompose::down(unsigned timeout_s, bool volumes, const std::vector<std::string>& doomed) {
  OTTO_RETURN_IF_ERROR(check_compose());
  if (facts_.compose_v1()) {
    return changed({labelled_down_script(project_, timeout_s, volumes), "taking the stack down failed", doomed});
  }
  const std::string script = fmt::format("{} --ansi never -p {} down --remove-orphans --timeout {}{} >&2 </dev/null\n",
                                         command({}), quote(project_), timeout_s, volumes ? " --volumes" : "");
  return changed({script, "docker compose down failed", doomed});
}

Result<void> RemoteCompose::remove_networks() {
  return changed({labelled_down_script(project_, 0, false), "networks cannot be removed", {}});
}

Result<void> RemoteCompose::remove_containers(const std::vector<std::string>& ids,
                                              const std::vector<std::string>& doomed) {
  if (ids.empty()) return {};
  return changed({"otto_docker rm -f " + text::shell_join(ids) + " >/dev/null </dev/null\n",
                  "containers of removed services cannot be removed", doomed});
}

}  // namespace otto::stack
