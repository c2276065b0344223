#include "engine/doctor/machine_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "engine/doctor/scripts.h"
#include "graph/base/text.h"

namespace otto::doctor {

namespace {

constexpr std::int64_t kSkewWorthSaying = 30;               // seconds
constexpr std::uint64_t kScarce = std::uint64_t{1} << 20U;  // KiB: 1 GiB
constexpr std::size_t kNoiseShown = 80;

/// What scripts of transfers and supervision use, and what those of stages use besides.
constexpr std::string_view kTools = "cat mkdir mv rm rmdir sleep tar";
constexpr std::string_view kStageTools = "chmod cmp comm cut find flock head ls sed sha256sum sort stat touch wc xargs";

std::string first_of(const Answers& answers, const std::string& name) {
  const auto found = answers.find(name);
  return found == answers.end() ? "" : text::printable(found->second);
}

std::uint64_t to_number(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// The last line of df's answer is the disk; the first is its header.
std::optional<std::uint64_t> free_kib(const Answers& answers, const std::string& name) {
  std::optional<std::uint64_t> found;
  const auto [begin, end] = answers.equal_range(name);
  for (auto each = begin; each != end; ++each) {
    if (!each->second.empty() && each->second.find_first_not_of("0123456789") == std::string::npos) {
      found = to_number(each->second);
    }
  }
  return found;
}

std::string shown_space(std::uint64_t kib) { return text::human_size(kib * 1024) + " free"; }

Check judge_space(std::string_view step, std::string detail, std::optional<std::uint64_t> kib) {
  if (!kib) return ok(step, std::move(detail));
  detail += ", " + shown_space(*kib);
  if (*kib >= kScarce) return ok(step, std::move(detail));
  return warning(step, std::move(detail),
                 "free some space there: `otto docker prune` removes what otto no longer needs, `docker system prune` "
                 "what nobody uses");
}

Check judge_noise(std::string detail, const std::string& noise) {
  if (noise.empty()) return ok("shell", std::move(detail));
  std::string shown = text::printable(std::string(text::trim(noise)).substr(0, kNoiseShown));
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return warning("shell",
                 fmt::format("{}; its rc files print {} bytes before a command: {}", detail, noise.size(), shown),
                 "otto passes it by, but scp, rsync and git do not: let rc files print only where the shell is "
                 "interactive, as in [ -t 1 ] && echo ...");
}

Check judge_clock(const std::string& host_id, std::string_view now, const Asked& asked) {
  if (now.empty()) return warning("clock", fmt::format("host '{}' does not tell its time", host_id), "");
  const auto there = static_cast<std::int64_t>(to_number(now));
  const std::int64_t skew = there < asked.before_s  ? there - asked.before_s
                            : there > asked.after_s ? there - asked.after_s
                                                    : 0;
  if (std::abs(skew) <= kSkewWorthSaying) return ok("clock", "as here");
  return warning(
      "clock", fmt::format("the clock there is {} s {} this machine's", std::abs(skew), skew < 0 ? "behind" : "before"),
      "times of builds and logs will not fit together, and certificates may be refused: set it (chrony, "
      "systemd-timesyncd)");
}

std::vector<std::string> missing_tools(const Answers& answers) {
  std::vector<std::string> missing;
  const auto [begin, end] = answers.equal_range("missing");
  for (auto each = begin; each != end; ++each) missing.push_back(text::printable(each->second));
  return missing;
}

}  // namespace

Answers parse_answers(std::string_view text) {
  Answers answers;
  for (const std::string& line : text::split(text, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) answers.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return answers;
}

std::string shell_script() { return std::string(kShellScript); }

std::string machine_script(bool docker_capable, const parent::ParentSettings& settings) {
  std::string script = fmt::format("otto_tools='{}{}{}'\n{}", kTools, docker_capable ? " " : "",
                                   docker_capable ? kStageTools : "", kToolsScript);
  if (!docker_capable) return script;
  return script + fmt::format("{}otto_root={}\n{}", kSpaceScript, parent::stage_root_word(settings), kMachineScript);
}

std::string docker_script(const parent::ParentSettings& settings) {
  return parent::docker_prelude(settings) + fmt::format("otto_program={}\n{}{}",
                                                        text::shell_quote(settings.docker_command.front()),
                                                        kSpaceScript, kDockerScript);
}

std::vector<Check> judge_shell(const std::string& host_id, Result<transport::Output> output, const Asked& asked) {
  const auto succeeded =
      transport::expect_success(std::move(output), ErrorCode::kRemoteFailed,
                                fmt::format("host '{}': the log-in shell runs no POSIX sh: it", host_id));
  if (!succeeded) {
    Error error = succeeded.error();
    if (error.hint.empty()) {
      error.hint =
          "give the user a log-in shell that runs commands (chsh), or take away what stands in its place "
          "(ForceCommand in sshd_config, command= in authorized_keys)";
    }
    return {failed("shell", error), skipped("clock")};
  }
  const Answers answers = parse_answers(succeeded->out);
  std::string detail =
      fmt::format("{} of {} on {}", first_of(answers, "shell"), first_of(answers, "user"), first_of(answers, "system"));
  return {judge_noise(std::move(detail), succeeded->noise), judge_clock(host_id, first_of(answers, "now"), asked)};
}

std::vector<Check> judge_machine(const std::string& host_id, const Answers& answers, bool docker_capable) {
  std::vector<Check> checks;
  const std::vector<std::string> missing = missing_tools(answers);
  if (missing.empty()) {
    checks.push_back(ok("tools", docker_capable ? "all that transfers and stages need" : "all that transfers need"));
  } else {
    checks.push_back(failed("tools", make_error(ErrorCode::kUnsupported,
                                                fmt::format("host '{}' lacks {}", host_id, text::join(missing, ", ")),
                                                "install there: coreutils, findutils (GNU find), util-linux (flock), "
                                                "diffutils (cmp), sed, tar")));
  }
  if (!docker_capable) return checks;
  const std::string stage = first_of(answers, "stage");
  if (answers.contains("unwritable")) {
    checks.push_back(
        failed("stage", make_error(ErrorCode::kIo,
                                   fmt::format("host '{}': the stage folder {} cannot be written to: {}", host_id,
                                               stage, first_of(answers, "unwritable")),
                                   "make room or give the user the folder, or name another one with \"stage_dir\" in "
                                   "hosts.json")));
  } else {
    checks.push_back(judge_space("stage", stage, free_kib(answers, "stage_free")));
  }
  return checks;
}

std::vector<Check> judge_parent(const std::string& host_id, const parent::ParentFacts& facts, const Answers& docker,
                                bool needs_compose) {
  std::vector<Check> checks;
  checks.push_back(facts.has_buildx ? ok("buildx", "there")
                                    : warning("buildx",
                                              "not there: images are built by the legacy builder, which "
                                              "is slower and knows less",
                                              "install the package docker-buildx (or docker-buildx-plugin) there"));
  if (!facts.compose_version.empty()) {
    checks.push_back(ok("compose", facts.compose_version + (facts.compose_standalone ? ", as docker-compose" : "")));
  } else if (needs_compose) {
    checks.push_back(
        failed("compose", make_error(ErrorCode::kDockerMissing, fmt::format("host '{}' has no Compose", host_id),
                                     "install the package docker-compose (or docker-compose-plugin) "
                                     "there; `otto docker build` works without it")));
  } else {
    checks.push_back(ok("compose", "not there, and no compose file needs it"));
  }
  checks.push_back(judge_space("space", first_of(docker, "root"), free_kib(docker, "root_free")));
  return checks;
}

}  // namespace otto::doctor
