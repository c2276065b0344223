#include "engine/hosts/machine_access.h"

namespace otto::hosts {
namespace {

class MachineAccess final : public HostAccess {
 public:
  MachineAccess(workspace::Opened& workspace, const config::HostEntry& entry) : workspace_(workspace), entry_(entry) {}

  [[nodiscard]] const std::string& id() const override { return entry_.id; }
  [[nodiscard]] workspace::Opened& workspace() const override { return workspace_; }

  Result<transport::Output> job(const transport::Script& script) override {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(entry_));
    return remote->run_job(script);
  }
  [[nodiscard]] std::string_view command_shell() const override { return "exec \"${SHELL:-/bin/sh}\" -c \"$1\"\n"; }

  /// A log-in shell is the server's to start, with its motd and profile; sshd hangs it up when the connection is gone.
  Result<StartedTerminal> terminal(const TerminalStart& start) override {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(entry_));
    if (start.program.empty()) {
      OTTO_TRY(auto process, remote->transport().start({"", start.pty, transport::Claim::kStays}, start.stop));
      return StartedTerminal{std::move(process), ""};
    }
    transport::TerminalScript script;
    script.text = start.program;
    script.cooked = true;
    script.pty = start.pty;
    script.stop = start.stop;
    OTTO_TRY(auto process, remote->start_on_terminal(script));
    return StartedTerminal{std::move(process), ""};
  }

  // A machine always has a shell.
  Result<transport::Output> program(const transport::Script&) override { return no_container(); }
  Result<transport::Output> copy_in(const transport::Script&) override { return no_container(); }
  Result<transport::Output> copy_out(const transport::Script&) override { return no_container(); }

 private:
  [[nodiscard]] Error no_container() const {
    return make_error(ErrorCode::kUnsupported, "'" + id() + "' is no container");
  }

  workspace::Opened& workspace_;
  const config::HostEntry& entry_;
};

}  // namespace

std::unique_ptr<HostAccess> access_machine(workspace::Opened& workspace, const config::HostEntry& entry) {
  return std::make_unique<MachineAccess>(workspace, entry);
}

}  // namespace otto::hosts
