#include "engine/parent/remote_lock.h"

#include <fmt/format.h>

#include "engine/parent/scripts.h"
#include "graph/base/text.h"
#include "transport/bootstrap.h"

namespace otto::parent {

namespace {

std::string holder_script(const ParentFacts& facts, std::string_view project, std::string_view generation) {
  return lock_functions(facts) + fmt::format("otto_project={} otto_next={}\n{}", text::shell_quote(lock_name(project)),
                                             text::shell_quote(generation), kProjectHoldScript);
}

}  // namespace

RemoteLock::RemoteLock(transport::Remote& remote, const ParentFacts& facts, std::string project, std::stop_token stop)
    : remote_(remote),
      facts_(facts),
      project_(std::move(project)),
      token_(transport::random_token()),
      stop_(std::move(stop)) {}

RemoteLock::~RemoteLock() { release(); }

bool RemoteLock::held() const {
  auto state = state_.lock();
  return state->generation.has_value() && !state->over;
}

void RemoteLock::prepare() {
  if (!thread_.joinable()) thread_ = std::jthread([this] { hold(); });
}

Result<std::string> RemoteLock::take(std::function<void(const LockHolder&)> waiting) {
  waiting_ = std::move(waiting);  // nobody waits before the word is given
  state_.lock()->wanted = true;
  changed_.notify_all();
  prepare();
  auto state = state_.lock();
  state.wait(changed_, [](const State& now) { return now.generation || now.failure; });
  if (state->failure) return *state->failure;
  return *state->generation;
}

void RemoteLock::settle() { state_.lock()->settled = true; }

void RemoteLock::release() {
  state_.lock()->over = true;
  changed_.notify_all();
}

void RemoteLock::hold() {
  transport::Script script;
  script.text = holder_script(facts_, project_, token_);
  script.claim = transport::Claim::kStays;
  const std::stop_callback forward(stop_, [this] { over_.request_stop(); });
  script.stop = over_.get_token();
  script.input = [this](const transport::Writer& write) -> Result<void> {
    {
      auto state = state_.lock();
      state.wait(changed_, [](const State& now) { return now.wanted || now.over; });
      if (!state->wanted) return {};
    }
    OTTO_RETURN_IF_ERROR(write("take\n"));
    bool settled = false;
    {
      auto state = state_.lock();
      state.wait(changed_, [](const State& now) { return now.over; });
      settled = state->settled;
    }
    return settled ? write("settled\n") : Result<void>();
  };
  script.stop_input = [this] { release(); };
  script.on_output = [this](transport::Stream stream, std::string_view bytes) { take_output(stream, bytes); };
  auto output = remote_.run_job(script);
  auto state = state_.lock();
  state->over = true;
  if (!state->generation) {
    state->failure =
        output.ok() ? make_error(ErrorCode::kUnsupported,
                                 fmt::format("project '{}' cannot be locked on host '{}': {}", project_,
                                             remote_.host_id(), text::printable(text::trim(state->words))),
                                 "otto needs flock (util-linux) there, and a folder of its own in /var/tmp or /tmp")
                    : std::move(output).error();
  }
  changed_.notify_all();
}

void RemoteLock::take_output(transport::Stream stream, std::string_view bytes) {
  constexpr std::string_view kHeld = "held\t", kOver = "over";
  std::optional<LockHolder> waits_for;
  bool is_over = false;
  {
    auto state = state_.lock();
    std::string& text = stream == transport::Stream::kStdout ? state->out : state->err;
    text += bytes;
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      const std::string line = text.substr(0, end);
      if (stream == transport::Stream::kStdout) {
        if (line.starts_with(kHeld)) state->generation = line.substr(kHeld.size());
        if (line == kOver) is_over = true;
      } else if (auto holder = read_waiting(line)) {
        waits_for = std::move(holder);
      } else {
        state->words += line + "\n";
      }
    }
  }
  changed_.notify_all();
  if (is_over) over_.request_stop();  // what the job has left to do is its own end
  if (waits_for && waiting_) waiting_(*waits_for);
}

std::string project_notes_script(std::string_view locks, std::string_view project) {
  return fmt::format("otto_notes={}/{}\n{}", locks, text::shell_quote("project." + lock_name(project)),
                     kProjectNotesScript);
}

std::string project_turn_text(const ParentFacts& facts, const TurnOf& turn, int lost_exit) {
  return lock_functions(facts) + fmt::format("otto_project={} otto_turn={} otto_lost={}\n{}",
                                             text::shell_quote(lock_name(turn.project)), text::shell_quote(turn.token),
                                             lost_exit, kProjectTurnScript);
}

std::string project_work_text(const ParentFacts& facts, const TurnOf& turn, const std::vector<std::string>& doomed) {
  return project_turn_text(facts, turn, kNoLockExit) +
         fmt::format("otto_doomed={}\n{}", text::shell_quote(text::join(doomed, "\n")), kProjectDoomedScript);
}

Error turn_lost(std::string_view project, std::string_view host_id) {
  return make_error(
      ErrorCode::kInputsChanged,
      fmt::format("another otto took project '{}' on host '{}' over while this one stood still", project, host_id),
      "run the command again");
}

}  // namespace otto::parent
