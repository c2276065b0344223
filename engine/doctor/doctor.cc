// diagnose: the configuration, then each host from its route to its Docker engine.
#include "otto/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "cache/database.h"
#include "cache/parent_store.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/doctor/checks.h"
#include "engine/doctor/machine_checks.h"
#include "engine/parent/parent_session.h"
#include "engine/parent/remote_probe.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"
#include "otto/docker.h"
#include "otto/host.h"
#include "transport/remote.h"

namespace otto {

namespace {

using doctor::Answers;
using transport::ConnectStep;

/// Keeps warnings for the checks; passes everything else on.
class WarningTray : public Reporter {
 public:
  explicit WarningTray(Reporter& next) : next_(next) {}
  void report(const Event& event) override {
    if (event.kind != Event::Kind::kWarning) return next_.report(event);
    warnings_.lock()->push_back(event.detail);
  }
  std::vector<std::string> take() { return std::exchange(*warnings_.lock(), {}); }

 private:
  Reporter& next_;
  Sync<std::vector<std::string>> warnings_;
};

std::string settings_detail(const workspace::Opened& workspace) {
  std::vector<std::string> repos;
  for (const config::Settings& repo : workspace.repos()) {
    repos.push_back(fmt::format("{} ({})", repo.name, repo.file.string()));
  }
  return text::join(repos, ", ");
}

/// Why some repo's images are not known, or one cannot be built.
std::optional<Error> unread_images(const workspace::Opened& workspace) {
  for (const config::Settings& repo : workspace.repos()) {
    if (repo.images_error) return repo.images_error;
    for (const config::ImageSettings& image : repo.images) {
      if (image.trouble && !image.idle) return image.trouble;
    }
  }
  return std::nullopt;
}

std::string lab_detail(const config::Lab& lab) {
  if (lab.names.empty()) return "no lab: only the host 'local'";
  return fmt::format("{}: {} host{}", text::join(lab.names, ","), lab.hosts.size(), lab.hosts.size() == 1 ? "" : "s");
}

std::vector<Check> skip_all(std::initializer_list<std::string_view> steps) {
  std::vector<Check> checks;
  for (const std::string_view step : steps) checks.push_back(doctor::skipped(step));
  return checks;
}

void append(std::vector<Check>& checks, std::vector<Check> more) {
  std::move(more.begin(), more.end(), std::back_inserter(checks));
}

class Doctor {
 public:
  Doctor(const WorkspaceOptions& options, Reporter& reporter, std::stop_token stop)
      : options_(options), tray_(reporter), stop_(std::move(stop)) {}

  Result<Diagnosis> run(const std::vector<std::string>& host_ids);

 private:
  /// False where there is no workspace to go on with.
  bool open();
  void check_memo();
  Result<std::vector<HostListing>> choose(const std::vector<std::string>& host_ids);
  Result<HostDiagnosis> diagnose_host(const HostListing& listing);
  Result<std::vector<Check>> machine(const config::HostEntry& host);
  Result<std::vector<Check>> connected(const config::HostEntry& host, transport::Remote& remote);
  Result<std::vector<Check>> parent(const config::HostEntry& host, transport::Remote& remote);
  Result<std::vector<Check>> container(const HostListing& listing);
  Result<Check> container_shell(const HostListing& listing);
  [[nodiscard]] const config::Settings& repo_of(const config::HostEntry& host) const;

  WorkspaceOptions options_;
  WarningTray tray_;
  std::stop_token stop_;
  Sync<std::map<std::string, std::vector<ConnectStep>>> steps_;
  std::unique_ptr<Workspace> outside_;
  workspace::Opened* workspace_ = nullptr;  ///< the inside of it
  cache::Database* memo_ = nullptr;
  std::map<std::string, std::vector<Check>> machines_;  ///< those looked at, by id
  Diagnosis found_;
};

bool Doctor::open() {
  const auto add = [&](std::string_view step, const std::string& detail, std::string hint) {
    std::vector<std::string> warnings = tray_.take();
    found_.configuration.push_back(
        warnings.empty() ? doctor::ok(step, detail)
                         : doctor::warning(step, detail + "\n" + text::join(warnings, "\n"), std::move(hint)));
  };
  WorkspaceOptions without_lab = options_;
  without_lab.need_lab = false;
  auto opened = Workspace::open(without_lab, tray_, stop_);
  if (opened) {
    if (const std::optional<Error> error = unread_images((*opened)->opened())) opened = *error;
  }
  if (!opened) {
    found_.configuration = {doctor::failed("settings", opened.error()), doctor::skipped("lab"),
                            doctor::skipped("memo")};
    return false;
  }
  add("settings", settings_detail((*opened)->opened()), "");
  opened = Workspace::open(options_, tray_, stop_);
  if (!opened) {
    append(found_.configuration, {doctor::failed("lab", opened.error()), doctor::skipped("memo")});
    return false;
  }
  outside_ = std::move(opened).value();
  workspace_ = &outside_->opened();
  workspace_->tell_steps(
      [this](const std::string& host_id, const ConnectStep& step) { (*steps_.lock())[host_id].push_back(step); });
  add("lab", lab_detail(workspace_->lab()), "");
  return true;
}

void Doctor::check_memo() {
  const std::string path = cache::Database::default_path().string();
  if (options_.dry_run) return found_.configuration.push_back(doctor::skipped("memo"));
  const auto memo = workspace_->memo();
  if (memo) memo_ = *memo;
  const std::vector<std::string> warnings = tray_.take();
  found_.configuration.push_back(!memo              ? doctor::failed("memo", memo.error())
                                 : warnings.empty() ? doctor::ok("memo", path)
                                                    : doctor::warning("memo", text::join(warnings, "\n"), ""));
}

Result<std::vector<HostListing>> Doctor::choose(const std::vector<std::string>& host_ids) {
  OTTO_TRY(const std::vector<HostListing> all, list_hosts(*outside_));
  std::vector<HostListing> chosen;
  if (host_ids.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [](const HostListing& each) { return each.kind != HostKind::kContainer; });
  }
  for (const std::string& id : host_ids) {
    const std::string wanted = text::to_lower(id);
    const auto found = std::find_if(all.begin(), all.end(), [&](const HostListing& each) { return each.id == wanted; });
    if (found == all.end()) {
      OTTO_RETURN_IF_ERROR(get_host(*outside_, id));
      panic("a host that is not listed", __FILE__, __LINE__);
    }
    chosen.push_back(*found);
  }
  return chosen;
}

/// The repo whose settings say how Docker is called there: one that has a stack on this host, else the first.
const config::Settings& Doctor::repo_of(const config::HostEntry& host) const {
  const auto& repos = workspace_->repos();
  const auto found = std::find_if(repos.begin(), repos.end(), [&](const config::Settings& repo) {
    return std::any_of(repo.composes.begin(), repo.composes.end(), [&](const config::ComposeSettings& compose) {
      return text::to_lower(compose.default_host) == host.id;
    });
  });
  return found == repos.end() ? repos.front() : *found;
}

Result<std::vector<Check>> Doctor::machine(const config::HostEntry& host) {
  const auto known = machines_.find(host.id);
  if (known != machines_.end()) return known->second;
  const auto remote = workspace_->remote(host);
  std::optional<Error> failure;
  if (!remote) failure = remote.error();
  if (failure && failure->code == ErrorCode::kInterrupted) return *failure;
  std::vector<Check> checks = doctor::connection_checks(host.id, host.term, (*steps_.lock())[host.id], failure);
  if (remote) {
    OTTO_TRY(std::vector<Check> more, connected(host, **remote));
    append(checks, std::move(more));
  } else {
    append(checks, skip_all({"shell", "clock", "jobs", "tools"}));
    if (host.docker_capable) append(checks, skip_all({"stage", "docker", "engine", "buildx", "compose", "space"}));
  }
  return machines_[host.id] = std::move(checks);
}

std::int64_t now_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Result<std::vector<Check>> Doctor::connected(const config::HostEntry& host, transport::Remote& remote) {
  transport::Script query{.text = doctor::shell_script(), .stop = stop_};
  doctor::Asked asked;
  asked.before_s = now_s();
  auto shell = remote.run(query);
  asked.after_s = now_s();
  if (!shell && shell.error().code == ErrorCode::kInterrupted) return shell.error();
  std::vector<Check> checks = doctor::judge_shell(host.id, std::move(shell), asked);
  const auto skip_rest = [&](std::initializer_list<std::string_view> steps) {
    append(checks, skip_all(steps));
    if (host.docker_capable) append(checks, skip_all({"stage", "docker", "engine", "buildx", "compose", "space"}));
    return checks;
  };
  if (first_failure(checks) != nullptr) return skip_rest({"jobs", "tools"});

  const parent::ParentSettings settings = parent::parent_settings(repo_of(host), host);
  query.text = doctor::machine_script(host.docker_capable, settings);
  const auto answer = transport::expect_success(remote.run_job(query), ErrorCode::kRemoteFailed, "a supervised job");
  if (!answer && answer.error().code == ErrorCode::kInterrupted) return answer.error();
  if (!answer) {
    checks.push_back(doctor::failed("jobs", answer.error()));
    return skip_rest({"tools"});
  }
  checks.push_back(doctor::ok("jobs", "supervised: they end when otto goes"));
  append(checks, doctor::judge_machine(host.id, doctor::parse_answers(answer->out), host.docker_capable));
  if (!host.docker_capable) return checks;
  OTTO_TRY(std::vector<Check> more, parent(host, remote));
  append(checks, std::move(more));
  return checks;
}

Result<std::vector<Check>> Doctor::parent(const config::HostEntry& host, transport::Remote& remote) {
  const parent::ParentSettings settings = parent::parent_settings(repo_of(host), host);
  OTTO_TRY(const transport::Output command, remote.run({.text = doctor::docker_script(settings), .stop = stop_}));
  if (!command.status.success()) {
    const Error error = parent::docker_error(command, host.id, ErrorCode::kRemoteFailed, "docker cannot be called");
    std::vector<Check> checks = {doctor::failed("docker", error)};
    append(checks, skip_all({"engine", "buildx", "compose", "space"}));
    return checks;
  }
  const Answers answers = doctor::parse_answers(command.out);
  const auto path = answers.find("command");
  std::string called = text::printable(path == answers.end() ? settings.docker_command.front() : path->second);
  for (std::size_t i = 1; i < settings.docker_command.size(); ++i) called += " " + settings.docker_command[i];
  std::vector<Check> checks = {doctor::ok("docker", called)};

  const auto probe = parent::probe_parent(remote, settings, {.want_facts = true}, stop_);
  if (!probe) {
    if (probe.error().code == ErrorCode::kInterrupted) return probe.error();
    checks.push_back(doctor::failed("engine", probe.error()));
    append(checks, skip_all({"buildx", "compose", "space"}));
    return checks;
  }
  const parent::ParentFacts& facts = *probe->facts;
  if (memo_ != nullptr) {
    OTTO_RETURN_IF_ERROR(cache::ParentStore(*memo_).put_facts(host.id, parent::serialize(facts, settings)));
  }
  checks.push_back(doctor::ok("engine", facts.engine_version + ", and this user may use it"));
  const bool needs_compose = std::any_of(workspace_->repos().begin(), workspace_->repos().end(),
                                         [](const config::Settings& repo) { return !repo.composes.empty(); });
  append(checks, doctor::judge_parent(host.id, facts, answers, needs_compose));
  return checks;
}

Result<Check> Doctor::container_shell(const HostListing& listing) {
  OTTO_TRY(const auto host, get_host(*outside_, listing.id));
  RunOptions quiet;
  quiet.stop = stop_;
  const auto answer = host->oneshot(doctor::machine_script(false, {}), quiet);
  if (!answer) {
    const Error& error = answer.error();
    if (error.code == ErrorCode::kInterrupted) return error;
    if (error.code == ErrorCode::kUnsupported) return doctor::warning("shell", error.message, error.hint);
    return doctor::failed("shell", error);
  }
  const auto missing = doctor::judge_machine(listing.id, doctor::parse_answers(answer->out), false).front();
  if (missing.status == CheckStatus::kOk) return doctor::ok("shell", "/bin/sh, and all that transfers need");
  return doctor::warning("shell", missing.detail,
                         "put, get and the ending of commands need them: add them to the image");
}

Result<std::vector<Check>> Doctor::container(const HostListing& listing) {
  const config::HostEntry* parent = workspace_->lab().find(listing.parent);
  OTTO_CHECK(parent != nullptr);
  OTTO_TRY(std::vector<Check> checks, machine(*parent));
  for (Check& check : checks) {
    if (check.subject.empty()) check.subject = parent->id;
  }
  const bool usable = std::any_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.step == "engine" && check.status == CheckStatus::kOk;
  });
  if (!usable) {
    append(checks, skip_all({"container", "shell"}));
    return checks;
  }
  const auto hosts = docker::compose_ps(*outside_, parent->id, true);
  if (!hosts) {
    if (hosts.error().code == ErrorCode::kInterrupted) return hosts.error();
    append(checks, {doctor::failed("container", hosts.error()), doctor::skipped("shell")});
    return checks;
  }
  std::string status;
  for (const docker::ContainerInfo& each : hosts->front().containers) {
    if (each.host_id == listing.id) status = each.status;
  }
  if (!status.starts_with("Up")) {
    const std::string state = status.empty() ? "there is no such container yet" : "it does not run: " + status;
    append(checks, {doctor::failed("container", make_error(ErrorCode::kNotRunning,
                                                           fmt::format("container '{}': {}", listing.id, state),
                                                           "run `otto docker up`")),
                    doctor::skipped("shell")});
    return checks;
  }
  checks.push_back(doctor::ok("container", status));
  OTTO_TRY(Check shell, container_shell(listing));
  checks.push_back(std::move(shell));
  return checks;
}

Result<Diagnosis> Doctor::run(const std::vector<std::string>& host_ids) {
  if (!open()) return std::move(found_);
  check_memo();
  OTTO_TRY(const std::vector<HostListing> chosen, choose(host_ids));
  for (const HostListing& each : chosen) {
    const config::HostEntry* host = workspace_->lab().find(each.kind == HostKind::kContainer ? each.parent : each.id);
    if (host != nullptr) workspace_->connect_early(*host);
  }
  for (const HostListing& each : chosen) {
    const config::HostEntry* host = workspace_->lab().find(each.id);
    OTTO_TRY(std::vector<Check> checks, host != nullptr ? machine(*host) : container(each));
    found_.hosts.push_back({each.id, std::move(checks)});
  }
  return std::move(found_);
}

}  // namespace

Result<Diagnosis> diagnose(const WorkspaceOptions& options, const std::vector<std::string>& host_ids,
                           Reporter& reporter, std::stop_token stop) {
  return Doctor(options, reporter, std::move(stop)).run(host_ids);
}

}  // namespace otto
