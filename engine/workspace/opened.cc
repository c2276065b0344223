#include "engine/workspace/opened.h"

#include <cstdlib>
#include <future>
#include <map>

#include "cache/database.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/workspace/ssh_answer_memo.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace otto::workspace {

namespace {

using RemoteResult = Result<std::unique_ptr<transport::Remote>>;

}  // namespace

struct Opened::State {
  /// One host's connection: the attempt, and what came of it.
  struct Connection {
    std::stop_source stop;
    std::shared_future<void> attempt;  // shared: remote() may be called from several threads
    RemoteResult result = make_error(ErrorCode::kInterrupted, "not connected yet");
  };

  WorkspaceOptions options;
  ReachParent reach_parent;
  TellStep tell_step;
  Reporter* reporter = nullptr;
  std::stop_token stop;
  std::vector<config::Settings> repos;
  config::Lab lab;
  std::unique_ptr<cache::Database> memo;
  Sync<std::map<std::string, std::unique_ptr<Connection>>> connections;

  [[nodiscard]] const char* getenv(const char* name) const {
    return options.getenv ? options.getenv(name) : std::getenv(name);
  }
  void warn(const std::string& message) const { reporter->report(Event::warning(Phase::kConnecting, "", message)); }
  Connection& connection(const config::HostEntry& host);
  RemoteResult connect(const config::HostEntry& host, const std::stop_token& cancelled) const;
};

namespace {

std::optional<std::string> optional_env(const char* value) {
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

Result<void> keep_named_repo(std::vector<config::Settings>& repos, const std::string& wanted) {
  std::vector<std::string> names;
  for (const config::Settings& repo : repos) names.push_back(repo.name);
  std::erase_if(repos, [&](const config::Settings& repo) { return repo.name != wanted; });
  if (!repos.empty()) return {};
  return make_error(ErrorCode::kUnknownName, "unknown repo '" + wanted + "'" + text::did_you_mean(wanted, names),
                    "the repos found are: " + text::join(names, ", "));
}

Result<void> refuse_equal_names(const std::vector<config::Settings>& repos) {
  std::map<std::string, std::filesystem::path> seen;
  for (const config::Settings& repo : repos) {
    const auto [entry, fresh] = seen.emplace(text::to_lower(repo.name), repo.file);
    if (fresh) continue;
    return make_error(ErrorCode::kConfig,
                      repo.file.string() + ": the name '" + repo.name + "' is taken by " + entry->second.string(),
                      "give each repo its own `name`");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Opened>> Opened::open(const OpenRequest& request, Reporter& reporter, std::stop_token stop) {
  const WorkspaceOptions& options = request.options;
  auto state = std::make_unique<State>();
  state->options = options;
  state->reach_parent = request.reach_parent;
  state->reporter = &reporter;
  state->stop = std::move(stop);

  config::RepoSearch search{options.repo_dirs, optional_env(state->getenv("OTTO_SUT_DIRS")), options.cwd};
  OTTO_TRY(const auto roots, config::find_repos(search));
  if (roots.empty()) {
    return make_error(ErrorCode::kUsage,
                      "no .otto/settings.toml here or in any directory above " + options.cwd.string(),
                      "change into a repo, or name one with --repo-dir DIR or OTTO_SUT_DIRS");
  }
  for (const auto& root : roots) {
    OTTO_TRY(config::Settings settings, config::load_settings(root));
    if (request.join_images) request.join_images(settings, [&](const char* name) { return state->getenv(name); });
    state->repos.push_back(std::move(settings));
  }
  OTTO_RETURN_IF_ERROR(refuse_equal_names(state->repos));
  if (options.repo) OTTO_RETURN_IF_ERROR(keep_named_repo(state->repos, *options.repo));
  if (options.need_lab) {
    std::vector<std::string> warnings;
    config::LabChoice choice{options.labs, optional_env(state->getenv("OTTO_LAB"))};
    OTTO_TRY(state->lab, config::load_lab(state->repos, choice, warnings));
    for (const std::string& warning : warnings) state->warn(warning);
  }
  return std::unique_ptr<Opened>(new Opened(std::move(state)));
}

Opened::Opened(std::unique_ptr<State> state) : state_(std::move(state)) {}

Opened::~Opened() {
  auto connections = state_->connections.lock();
  for (auto& [id, connection] : *connections) connection->stop.request_stop();
  for (auto& [id, connection] : *connections) connection->attempt.wait();
}

const std::vector<config::Settings>& Opened::repos() const { return state_->repos; }
const config::Lab& Opened::lab() const { return state_->lab; }
Result<std::vector<std::string>> Opened::lab_names() const { return config::list_labs(state_->repos); }
Reporter& Opened::reporter() const { return *state_->reporter; }
std::stop_token Opened::stop() const { return state_->stop; }
const char* Opened::getenv(const char* name) const { return state_->getenv(name); }

Result<cache::Database*> Opened::memo() {
  if (!state_->memo) {
    std::vector<std::string> warnings;
    OTTO_TRY(cache::Database opened,
             cache::Database::open(cache::Database::default_path(), cache::OpenMode::kReadWrite, warnings));
    for (const std::string& warning : warnings) state_->warn(warning);
    state_->memo = std::make_unique<cache::Database>(std::move(opened));
  }
  return state_->memo.get();
}

namespace {

std::optional<transport::Protocol> protocol_of(const std::optional<Term>& term) {
  if (!term) return std::nullopt;
  switch (*term) {
    case Term::kLocal: return transport::Protocol::kLocal;
    case Term::kSsh: return transport::Protocol::kSsh;
    case Term::kTelnet: break;
  }
  return transport::Protocol::kTelnet;
}

}  // namespace

RemoteResult Opened::State::connect(const config::HostEntry& host, const std::stop_token& cancelled) const {
  reporter->report(Event::in_phase(Phase::kConnecting, host.id));
  // Host defaults are a repo's; where several repos are open, the first one's count.
  const config::SshOptions& defaults = repos.front().host_defaults;
  OTTO_TRY(const transport::Route route, config::route_to(lab, host, defaults, options.hop, protocol_of(options.term)));
  transport::Interaction interaction;
  interaction.ask_secret = options.ask_secret;
  interaction.notice = [this](const std::string& message) {
    reporter->report(Event::notice(Phase::kConnecting, "", message));
  };
  if (tell_step) {
    interaction.on_step = [this, &host](const transport::ConnectStep& step) { tell_step(host.id, step); };
  }
  SshAnswerMemo ssh_answers;
  interaction.ssh_answers = &ssh_answers;
  auto connected = transport::connect(route, interaction, cancelled);
  for (const std::string& warning : ssh_answers.take_warnings()) warn(warning);
  OTTO_TRY(auto transport, std::move(connected));
  reporter->report(Event::finished(Phase::kConnecting, host.id, "connected"));
  return std::make_unique<transport::Remote>(std::move(transport));
}

Opened::State::Connection& Opened::State::connection(const config::HostEntry& host) {
  auto all = connections.lock();
  auto& slot = (*all)[host.id];
  if (!slot) {
    slot = std::make_unique<Connection>();
    Connection* connection = slot.get();
    connection->attempt = std::async(std::launch::async, [this, connection, &host] {
                            const std::stop_callback forward(stop, [&] { connection->stop.request_stop(); });
                            connection->result = connect(host, connection->stop.get_token());
                          }).share();
  }
  return *slot;
}

const ReachParent& Opened::reach_parent() const { return state_->reach_parent; }
void Opened::tell_steps(TellStep tell) { state_->tell_step = std::move(tell); }
void Opened::connect_early(const config::HostEntry& host) { (void)state_->connection(host); }

Result<transport::Remote*> Opened::remote(const config::HostEntry& host, const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kLookForStop{20};
  State::Connection& connection = state_->connection(host);
  if (!stop.stop_possible()) connection.attempt.wait();
  while (connection.attempt.wait_for(kLookForStop) != std::future_status::ready) {
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  }
  if (!connection.result.ok()) return connection.result.error();
  return connection.result->get();
}

}  // namespace otto::workspace
