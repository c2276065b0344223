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

JobTicket Remote::Supervisor::enlist() {
  auto state = state_.lock();
  if (!state->serving) {
    if (thread_.joinable()) thread_.join();
    state->serving = true;
    state->token = random_token();
    state->orders.clear();
    thread_ = std::jthread([this, token = state->token](const std::stop_token& ended) { serve(ended, token); });
  }
  return JobTicket{state->token, "j" + std::to_string(++state->jobs)};
}

void Remote::Supervisor::end_job(const JobTicket& job) {
  auto state = state_.lock();
  if (state->token != job.token) return;
  state->orders.push_back(end_job_order(job));
  changed_.notify_all();
}

std::optional<Error> Remote::Supervisor::why_lost(const JobTicket& job) {
  const auto lost = state_.lock()->failure;
  return lost && lost->first == job.token ? std::optional(lost->second) : std::nullopt;
}

void Remote::Supervisor::serve(const std::stop_token& stop, const std::string& token) {
  auto outcome = talk(stop, token);
  auto state = state_.lock();
  state->serving = false;
  if (!outcome) state->failure.emplace(token, std::move(outcome).error().in("supervising remote jobs"));
}

Result<void> Remote::Supervisor::talk(const std::stop_token& stop, const std::string& token) {
  Command command{script_line(supervisor_script(token))};
  command.claim = Claim::kSupervises;
  OTTO_TRY(const auto process, transport_.start(command, stop));
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
