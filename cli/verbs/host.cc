// `otto host ID run` and `otto host ID oneshot`: commands on a machine or in a container of the lab.
#include "otto/host.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <stop_token>
#include <utility>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/terminal/input.h"
#include "cli/verbs/host_verb.h"
#include "cli/verbs/invocation.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr int kExitBySigpipe = 128 + SIGPIPE;

/// What both verbs share: options, the host, output passed on or collected, the exit code.
class HostCommand : public HostVerb {
 public:
  void define(Definition& definition) override {
    define_id(definition);
    definition.describe_operand("CMD", command_help(), true);
    define_way(definition);
  }
  std::vector<std::string>* verbatim() override { return &commands_; }
  [[nodiscard]] bool passes_output_on() const override { return true; }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const Opened opened, open(invocation));
    if (invocation.options().dry_run) {
      invocation.print(json::planned_commands(invocation.target(), commands_),
                       "would run on " + invocation.target() + ": " + text::join(commands_, "; ") + "\n");
      return kExitDone;
    }
    RunOptions options;
    std::stop_source stop;
    const std::stop_callback forward(invocation.stop(), [&stop] { stop.request_stop(); });
    options.stop = stop.get_token();
    StandardInput input(invocation.stop());
    if (takes_input() && !invocation.options().no_input && !invocation.terminal().stdin_is_terminal) {
      options.input = [&input] { return input.next(); };
      options.stop_input = [&input] { input.end(); };
    }
    if (!invocation.json()) {
      options.on_output = [&invocation, &stop, begun = false](bool is_stderr, std::string_view bytes) mutable {
        if (!std::exchange(begun, true)) invocation.progress().suspend();
        invocation.pass_on(is_stderr, bytes);
        if (invocation.output_failure() != 0) stop.request_stop();  // as SIGPIPE would end it here
      };
    }
    asked_for_ = true;
    auto ended = execute(*opened.host, commands_, options);
    if (const int failure = invocation.output_failure(); failure != 0 && !invocation.stop().stop_requested()) {
      return failure == EPIPE ? kExitBySigpipe : kExitFailed;
    }
    OTTO_TRY(const CommandResult result, std::move(ended));
    if (invocation.json()) invocation.print_json(json::command(opened.host->id(), result));
    return result.exit_code;
  }
  int exit_code_of(const Error& error) const override {
    return asked_for_ ? exit_code_of_remote_command(error.code) : exit_code(error.code);
  }

 protected:
  [[nodiscard]] virtual std::string command_help() const = 0;
  [[nodiscard]] virtual bool takes_input() const = 0;
  virtual Result<CommandResult> execute(Host& host, const std::vector<std::string>& commands,
                                        const RunOptions& options) = 0;

 private:
  std::vector<std::string> commands_;
  bool asked_for_ = false;
};

class HostRun : public HostCommand {
 protected:
  [[nodiscard]] std::string command_help() const override {
    return "each argument is one command of the same shell; taken word for word from the first that is no option on";
  }
  [[nodiscard]] bool takes_input() const override { return false; }
  Result<CommandResult> execute(Host& host, const std::vector<std::string>& commands,
                                const RunOptions& options) override {
    RunOptions only = options;
    only.last = true;
    return host.run(commands, only);
  }
};

class HostOneshot : public HostCommand {
 protected:
  [[nodiscard]] std::string command_help() const override {
    return "the command; several words are joined by blanks, as ssh does, and read by the remote shell";
  }
  [[nodiscard]] bool takes_input() const override { return true; }
  Result<CommandResult> execute(Host& host, const std::vector<std::string>& commands,
                                const RunOptions& options) override {
    return host.oneshot(text::join(commands, " "), options);
  }
};

constexpr std::string_view kExitCodes =
    "The remote command's own exit code, or 128 + its signal; 141 where the reader of standard output ended before it. "
    "255 "
    "if the connection was lost after the command was "
    "asked for. Failures before that follow the table.";

constexpr std::array<Example, 4> kRunExamples = {{
    {"otto host pepper_seed run 'uname -a'", "one command on a machine"},
    {"otto host pepper_seed.repo1.api run 'cd /srv' './migrate' './check'", "several in one shell of a container"},
    {"otto host --hop gate pepper_seed run id", "through another host first"},
    {"otto host pepper_seed run -- -odd-command", "a command that begins with '-'"},
}};

constexpr std::array<Example, 3> kOneshotExamples = {{
    {"otto host pepper_seed.repo1.db oneshot 'pg_isready -q'", "only the exit code matters"},
    {"otto host pepper_seed.repo1.db oneshot psql < schema.sql", "standard input is forwarded"},
    {"otto host pepper_seed oneshot ls -l /srv", "options after the first word are the command's"},
}};

}  // namespace

constinit const VerbInfo kHostRun = {
    "host ID run",
    "CMD...",
    "run commands in order in one shell of a host",
    "Runs each CMD in order in one shell, so that directory, variables and options persist between them; stops at the "
    "first that fails. A declared container that is not running is started first, without building. Standard output "
    "and "
    "error are passed on as they come, with nothing of otto's own between them unless standard error is a terminal; "
    "the commands get no standard input.\n\n"
    "Options stand before the first CMD; from there on everything is taken word for word. With --format json the "
    "output "
    "is collected into one document. With --dry-run nothing is contacted.",
    kRunExamples,
    kExitCodes,
    []() -> std::unique_ptr<Verb> { return std::make_unique<HostRun>(); },
};

constinit const VerbInfo kHostOneshot = {
    "host ID oneshot",
    "CMD",
    "run one command in a fresh shell of a host",
    "Runs CMD in a fresh shell that keeps no state. A declared container that is not running is started first, without "
    "building. Standard output and error are passed on as they come, with nothing of otto's own between them unless "
    "standard error is a terminal. Standard input is forwarded unless it is a "
    "terminal; with --no-input, or < /dev/null, the command finds it at its end.\n\n"
    "Options stand before CMD; from there on everything is taken word for word. With --format json the output is "
    "collected into one document. With --dry-run nothing is contacted.",
    kOneshotExamples,
    kExitCodes,
    []() -> std::unique_ptr<Verb> { return std::make_unique<HostOneshot>(); },
};

}  // namespace otto::cli
