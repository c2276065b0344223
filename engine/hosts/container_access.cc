// Tries, starts the stack where the container does not run, and tries once more.
//
// Docker reports a program that cannot be started with exit code 126 or 127; without the shell's first line that means
// that there is no shell.
#include "engine/hosts/container_access.h"

#include <fmt/format.h>

#include <atomic>

#include "engine/hosts/container_script.h"
#include "graph/base/sync.h"
#include "transport/bootstrap.h"

namespace otto::hosts {
namespace {

/// Holds input back until the container's shell has begun, or never will.
class Gate {
 public:
  void open(bool pass) {
    auto state = state_.lock();
    if (*state == State::kShut) *state = pass ? State::kOpen : State::kNever;
    changed_.notify_all();
  }
  bool wait() {
    auto state = state_.lock();
    state.wait(changed_, [](State s) { return s != State::kShut; });
    return *state == State::kOpen;
  }

 private:
  enum class State { kShut, kOpen, kNever };
  Sync<State> state_{State::kShut};
  std::condition_variable_any changed_;
};

bool no_such_program(const transport::ExitStatus& status) {
  constexpr int kNotExecutable = 126, kNotFound = 127;
  return status.signal.empty() && (status.code == kNotExecutable || status.code == kNotFound);
}

/// Before anything was run in it the container was stopped or replaced: by another otto, as a rule.
bool went_away(const transport::ExitStatus& status, const ContainerFilter& filter) {
  constexpr int kKilled = 137;
  if (filter.container().empty()) return false;
  const std::string words = filter.words();
  return status.shell_code() == kKilled || words.find("No such container") != std::string::npos ||
         (words.find("is not running") != std::string::npos && words.find("is restarting") == std::string::npos);
}

class ContainerAccess final : public HostAccess {
 public:
  ContainerAccess(workspace::Opened& workspace, ContainerAddress address, StartStack start)
      : workspace_(workspace), address_(std::move(address)), start_(std::move(start)) {}

  [[nodiscard]] const std::string& id() const override { return address_.host_id; }
  [[nodiscard]] workspace::Opened& workspace() const override { return workspace_; }
  [[nodiscard]] std::string_view command_shell() const override { return "exec /bin/sh -c \"$1\"\n"; }
  [[nodiscard]] bool lacks_shell() const override { return lacks_shell_; }

  Result<transport::Output> job(const transport::Script& script) override {
    return enter(ContainerEntry::kShell, script);
  }
  Result<StartedTerminal> terminal(const TerminalStart& start) override {
    return once_running<StartedTerminal>([&] { return attempt_terminal(start); });
  }
  Result<transport::Output> program(const transport::Script& script) override {
    return enter(ContainerEntry::kProgram, script);
  }
  Result<transport::Output> copy_in(const transport::Script& script) override {
    return enter(ContainerEntry::kCopyIn, script);
  }
  Result<transport::Output> copy_out(const transport::Script& script) override {
    return enter(ContainerEntry::kCopyOut, script);
  }

 private:
  Result<transport::Output> enter(ContainerEntry entry, const transport::Script& script) {
    return once_running<transport::Output>([&] { return attempt(entry, script); });
  }

  template <typename T, typename Attempt>
  Result<T> once_running(Attempt attempt) {
    OTTO_TRY(std::optional<T> done, attempt());
    if (done) return std::move(*done);
    OTTO_RETURN_IF_ERROR(start_stack());
    OTTO_TRY(done, attempt());
    if (done) return std::move(*done);
    return not_running("its service does not stay up");
  }

  [[nodiscard]] std::string script_for(ContainerEntry entry) const {
    const auto settings = parent::parent_settings(*address_.target.repo, *address_.target.host);
    return container_script(settings, {address_.compose_project, address_.service, std::to_string(address_.replica)},
                            entry, transport::random_token());
  }

  /// nullopt: the container does not run; nothing was executed.
  Result<std::optional<transport::Output>> attempt(ContainerEntry entry, const transport::Script& script) {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(*address_.target.host));
    transport::Output collected;
    Gate gate;
    ContainerFilter filter(
        entry,
        [&](transport::Stream stream, std::string_view bytes) {
          if (script.on_output) return script.on_output(stream, bytes);
          (stream == transport::Stream::kStdout ? collected.out : collected.err) += bytes;
        },
        [&gate] { gate.open(true); });
    transport::Script outer;
    outer.text = script_for(entry);
    outer.args = script.args;
    if (entry == ContainerEntry::kShell) outer.args = {transport::set_arguments(script.args) + script.text};
    outer.stop = script.stop;
    outer.claim = script.claim;
    outer.on_output = [&](transport::Stream stream, std::string_view bytes) { filter.take(stream, bytes); };
    if (script.input) {
      outer.stop_input = [&] {
        gate.open(false);
        if (filter.begun() && script.stop_input) script.stop_input();
      };
      outer.input = [&](const transport::Writer& write) -> Result<void> {
        if (!gate.wait()) return {};
        return script.input(write);
      };
    }
    OTTO_TRY(const transport::Output output, remote->run_job(outer));
    if (filter.container() == "none") return std::optional<transport::Output>();
    collected.status = output.status;
    if (filter.begun()) return std::optional<transport::Output>(std::move(collected));
    if (went_away(output.status, filter)) return std::optional<transport::Output>();
    return not_begun(remote->host_id(), filter, std::move(collected));
  }

  /// nullopt: as attempt().
  Result<std::optional<StartedTerminal>> attempt_terminal(const TerminalStart& start) {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(*address_.target.host));
    transport::TerminalScript script;
    script.text = script_for(ContainerEntry::kTerminal);
    // No log-in shell: its profile would undo the image's own PATH.
    script.args = {start.program.empty() ? "exec \"$(command -v bash || echo /bin/sh)\"" : start.program,
                   start.pty.term};
    script.pty = start.pty;
    script.stop = start.stop;
    StartedTerminal started;
    OTTO_TRY(started.process, remote->start_on_terminal(script));
    ContainerFilter filter(ContainerEntry::kTerminal,
                           [&](transport::Stream, std::string_view bytes) { started.first += bytes; }, {});
    while (!filter.begun()) {
      OTTO_TRY(const auto chunk, started.process->read({}, start.stop));
      if (chunk) {
        filter.take(transport::Stream::kStderr, chunk->bytes);
        continue;
      }
      transport::Output output;
      OTTO_TRY(output.status, started.process->wait(start.stop));
      if (filter.container() == "none" || went_away(output.status, filter)) return std::optional<StartedTerminal>();
      return not_begun(remote->host_id(), filter, std::move(output));
    }
    return std::optional<StartedTerminal>(std::move(started));
  }

  Error not_begun(const std::string& parent, const ContainerFilter& filter, transport::Output output) {
    output.err = filter.words();
    if (!filter.container().empty() && no_such_program(output.status)) {
      lacks_shell_ = true;
      return make_error(ErrorCode::kUnsupported,
                        fmt::format("container '{}' has no shell: its image has no /bin/sh", id()),
                        "put, get, and oneshot of a plain program work without one");
    }
    for (const std::string state : {"paused", "restarting"}) {  // the engine's words where it refuses an exec
      if (output.err.find(" is " + state) == std::string::npos) continue;
      return make_error(ErrorCode::kNotRunning, fmt::format("container '{}' is {}", id(), state),
                        parent::idle_remedy(state, parent, filter.container()));
    }
    return parent::docker_error(output, parent, ErrorCode::kRemoteFailed, "docker does not answer");
  }

  Result<void> start_stack() {
    const auto started = start_(address_);
    return started.ok() ? Result<void>() : not_started(started.error());
  }

  [[nodiscard]] Error not_started(const Error& why) const {
    if (why.code == ErrorCode::kInterrupted || why.code == ErrorCode::kConnectionLost) return why;
    return not_running(why.message);
  }

  [[nodiscard]] Error not_running(const std::string& why) const {
    return make_error(ErrorCode::kNotRunning,
                      fmt::format("container '{}' does not run and cannot be started: {}", id(), why),
                      "run `otto docker up` first");
  }

  workspace::Opened& workspace_;
  ContainerAddress address_;
  StartStack start_;
  std::atomic<bool> lacks_shell_{false};
};

}  // namespace

std::unique_ptr<HostAccess> access_container(workspace::Opened& workspace, ContainerAddress address, StartStack start) {
  return std::make_unique<ContainerAccess>(workspace, std::move(address), std::move(start));
}

}  // namespace otto::hosts
