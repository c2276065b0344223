#include "engine/hosts/unix_host.h"

#include "engine/hosts/command_io.h"
#include "graph/base/text.h"
#include "transport/remote.h"

namespace otto::hosts {

namespace {

class UnixHost : public Host {
 public:
  UnixHost(Workspace& workspace, const config::HostEntry& entry) : workspace_(workspace), entry_(entry) {}

  [[nodiscard]] const std::string& id() const override { return entry_.id; }

  Result<CommandResult> run(const std::vector<std::string>& commands, const RunOptions& options) override {
    // State is kept in one POSIX shell: the login shell where it is one.
    static constexpr std::string_view kShell =
        "case ${SHELL##*/} in sh|bash|dash|zsh|ksh|ash) shell=$SHELL ;; *) shell=/bin/sh ;; esac\n"
        "exec \"$shell\" -c \"$1\"\n";
    return execute(kShell, sequence_script(commands), options);
  }

  Result<CommandResult> oneshot(std::string_view command, const RunOptions& options) override {
    return execute("exec \"${SHELL:-/bin/sh}\" -c \"$1\"\n", std::string(command), options);
  }

 private:
  Result<CommandResult> execute(std::string_view text, std::string argument, const RunOptions& options) {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(entry_));
    CommandIo io(options);
    transport::Script script;
    script.text = std::string(text);
    script.args = {std::move(argument)};
    io.attach(script);
    OTTO_TRY(const transport::Output output, remote->run_job(script));
    return std::move(io).finish(output.status);
  }

  Workspace& workspace_;
  const config::HostEntry& entry_;
};

}  // namespace

std::unique_ptr<Host> make_unix_host(Workspace& workspace, const config::HostEntry& entry) {
  return std::make_unique<UnixHost>(workspace, entry);
}

std::string sequence_script(const std::vector<std::string>& commands) {
  std::string script;
  for (const std::string& command : commands) {
    script +=
        "eval " + text::shell_quote(command) + "\notto_code=$?; [ \"$otto_code\" -eq 0 ] || exit \"$otto_code\"\n";
  }
  return script + "exit 0\n";
}

}  // namespace otto::hosts
