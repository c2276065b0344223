// The supervisor's thread: start, then a line now and then.
//
// Everything remote is decided by the script; losing this thread's channel is the signal it waits for.
#include "transport/supervisor.h"

#include <chrono>

#include "transport/bootstrap.h"
#include "transport/classify.h"

namespace otto::transport {
namespace {

constexpr std::chrono::seconds kHeartbeat{5};

}  // namespace

Remote::Supervisor::~Supervisor() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<JobTicket> Remote::Supervisor::enlist(const std::stop_token& stop) {
  auto state = state_.lock();
  if (state->phase == Phase::kIdle || state->phase == Phase::kLost) {
    if (thread_.joinable()) thread_.join();
    state->phase = Phase::kStarting;
    state->token = random_token();
    state->orders.clear();
    state->failure.reset();
    thread_ = std::jthread([this, token = state->token](const std::stop_token& ended) { serve(ended, token); });
  }
  const bool started = state.wait(changed_, stop, [](const State& s) { return s.phase != Phase::kStarting; });
  if (!started) return interrupted();
  if (state->failure) return *state->failure;
  return JobTicket{state->token, "j" + std::to_string(++state->jobs)};
}

void Remote::Supervisor::end_job(const JobTicket& job) {
  auto state = state_.lock();
  if (state->token != job.token) return;
  state->orders.push_back(end_job_order(job));
  changed_.notify_all();
}

void Remote::Supervisor::serve(const std::stop_token& stop, const std::string& token) {
  auto outcome = talk(stop, token);
  auto state = state_.lock();
  state->phase = Phase::kLost;
  if (!outcome) state->failure = std::move(outcome).error().in("starting the supervisor of remote jobs");
  changed_.notify_all();
}

Result<void> Remote::Supervisor::talk(const std::stop_token& stop, const std::string& token) {
  Command command{std::string(bootstrap_line())};
  command.lasting = true;
  OTTO_TRY(const auto process, transport_.start(command, stop));
  OTTO_RETURN_IF_ERROR(process->write(encode_script(supervisor_script(token)), stop));
  {
    auto state = state_.lock();
    state->phase = Phase::kServing;
    changed_.notify_all();
  }
  while (!stop.stop_requested()) {
    std::string lines(heartbeat_line());
    {
      auto state = state_.lock();
      state.wait_for(changed_, stop, kHeartbeat, [](const State& s) { return !s.orders.empty(); });
      for (; !state->orders.empty(); state->orders.pop_front()) lines += state->orders.front();
    }
    OTTO_RETURN_IF_ERROR(process->write(lines, stop));
  }
  return {};
}

}  // namespace otto::transport
