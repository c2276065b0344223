#include "engine/parent/parent_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

#include "cache/parent_store.h"
#include "graph/base/clock.h"
#include "graph/base/text.h"

namespace otto::parent {

ParentSettings parent_settings(const config::Settings& repo, const config::HostEntry& host) {
  return {host.docker_command.value_or(repo.docker_command), host.stage_dir};
}

namespace {

/// How long an answer stands for what a parent has now: a large context may take minutes to scan.
constexpr std::chrono::seconds kStillTrue{5};

/// Any thread.
Result<Probe> ask(Parent& parent, Reporter& reporter, const ProbeRequest& request, const std::stop_token& stop) {
  const bool pulls = std::any_of(request.bases.begin(), request.bases.end(),
                                 [](const BaseQuery& base) { return base.pull == Pull::kAlways; });
  reporter.report(Event::in_phase(Phase::kChecking, parent.host_id(), pulls ? "pulling base images" : ""));
  auto answer = parent.probe(request, stop);
  reporter.left(parent.host_id());
  return answer;
}

}  // namespace

/// A question that is asked while its asker does something else. Ends, unanswered, when it goes.
class ParentSession::EarlyProbe {
 public:
  EarlyProbe(const SessionParts& parts, ProbeRequest request)
      : request_(std::move(request)),
        forward_(parts.stop, [this] { stop_.request_stop(); }),
        thread_([this, reach = parts.reach, reporter = parts.reporter] { run(reach, *reporter); }) {}
  ~EarlyProbe() { stop_.request_stop(); }
  EarlyProbe(const EarlyProbe&) = delete;
  EarlyProbe& operator=(const EarlyProbe&) = delete;

  [[nodiscard]] const ProbeRequest& request() const { return request_; }
  /// Once. nullopt: it is so old that what was asked about may have changed since.
  std::optional<Result<Probe>> answer() {
    thread_.join();
    if (Clock::now() - asked_at_ > kStillTrue) return std::nullopt;
    return std::move(answer_);
  }

 private:
  void run(const decltype(SessionParts::reach)& reach, Reporter& reporter) {
    const auto parent = reach(stop_.get_token());
    asked_at_ = Clock::now();
    answer_ = parent.ok() ? ask(**parent, reporter, request_, stop_.get_token()) : parent.error();
  }

  const ProbeRequest request_;
  std::stop_source stop_;
  Clock::time_point asked_at_;
  Result<Probe> answer_ = make_error(ErrorCode::kInterrupted, "not asked yet");
  std::stop_callback<std::function<void()>> forward_;
  std::jthread thread_;
};

ParentSession::ParentSession() = default;
ParentSession::ParentSession(ParentSession&&) noexcept = default;
ParentSession& ParentSession::operator=(ParentSession&&) noexcept = default;
ParentSession::~ParentSession() = default;

Result<ParentSession> ParentSession::begin(workspace::Opened& workspace, const workspace::Target& target) {
  SessionParts parts{.target = target, .reporter = &workspace.reporter(), .stop = workspace.stop()};
  OTTO_TRY(parts.memo, workspace.memo());
  parts.reach = [&workspace, host = target.host, settings = parent_settings(*target.repo, *target.host)](
                    const std::stop_token& stop) { return workspace.reach_parent()(workspace, *host, settings, stop); };
  return begin(std::move(parts));
}

Result<ParentSession> ParentSession::begin(SessionParts parts) {
  ParentSession session;
  session.settings_ = parent_settings(*parts.target.repo, *parts.target.host);
  OTTO_TRY(const auto remembered, cache::ParentStore(*parts.memo).facts(parts.target.host->id));
  if (remembered) session.facts_ = parse_facts(*remembered, session.settings_);
  session.tally_.emplace(*parts.reporter);
  session.parts_ = std::move(parts);
  return session;
}

Result<ParentSession> ParentSession::open(workspace::Opened& workspace, const workspace::Target& target) {
  OTTO_TRY(ParentSession session, begin(workspace, target));
  OTTO_RETURN_IF_ERROR(session.connect());
  return session;
}

Result<void> ParentSession::connect() {
  OTTO_TRY(parent_, parts_.reach({}));
  return {};
}

Result<void> ParentSession::complete(ProbeRequest& request) const {
  request.want_facts = !facts_;
  request.known_containers.clear();
  request.lock_root = facts_ ? facts_->lock_root : "";
  if (request.compose_project.empty()) return {};
  if (facts_) request.stack_stage = facts_->stage_root + "/" + stack_stage_key(request.compose_project);
  OTTO_TRY(const auto known, cache::ParentStore(memo()).containers(host().id, request.compose_project));
  for (const cache::ContainerRecord& container : known) {
    request.known_containers.push_back({.service = container.service,
                                        .number = container.number,
                                        .id = container.id,
                                        .image_id = container.image_id,
                                        .image = container.image,
                                        .service_digest = container.service_digest,
                                        .account = container.account});
  }
  return {};
}

Result<void> ParentSession::remember(const ProbeRequest& request, const Probe& probe) {
  if (probe.facts) {
    facts_ = probe.facts;
    OTTO_RETURN_IF_ERROR(cache::ParentStore(memo()).put_facts(host().id, serialize(*facts_, settings_)));
  }
  std::vector<std::string> known, found;
  for (const ContainerState& container : request.known_containers) known.push_back(container.id);
  for (const ContainerState& container : probe.containers) found.push_back(container.id);
  std::sort(found.begin(), found.end());
  if (known == found) return {};
  std::vector<cache::ContainerRecord> records;
  for (const ContainerState& container : probe.containers) {
    records.push_back({container.id, container.service, container.number, container.image_id, container.image,
                       container.service_digest, container.account});
  }
  return cache::ParentStore(memo()).put_containers(host().id, request.compose_project, records);
}

Result<void> ParentSession::ask_early(ProbeRequest request) {
  if (!request.changes_nothing()) return {};
  OTTO_RETURN_IF_ERROR(complete(request));
  early_.reset();
  early_ = std::make_unique<EarlyProbe>(parts_, std::move(request));
  return {};
}

Result<Probe> ParentSession::probe(ProbeRequest request) {
  OTTO_RETURN_IF_ERROR(complete(request));
  const std::unique_ptr<EarlyProbe> early = std::move(early_);
  std::optional<Result<Probe>> answer;
  if (early && early->request() == request) answer = early->answer();
  if (!answer) answer = ask(parent(), reporter(), request, stop());
  OTTO_TRY(Probe probe, std::move(*answer));
  OTTO_RETURN_IF_ERROR(remember(request, probe));
  return probe;
}

std::string stack_stage_key(const std::string& compose_project) { return compose_project + "-compose"; }

Result<void> ParentSession::forget_facts() { return cache::ParentStore(memo()).forget_facts(host().id); }

}  // namespace otto::parent
