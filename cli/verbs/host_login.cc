// `otto host ID login`: a terminal on a machine or in a container of the lab.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/errors.h"
#include "cli/render/json.h"
#include "cli/terminal/login_session.h"
#include "cli/verbs/host_verb.h"
#include "cli/verbs/invocation.h"
#include "graph/base/text.h"
#include "otto/host.h"

namespace otto::cli {
namespace {

class HostLogin : public HostVerb {
 public:
  void define(Definition& definition) override {
    define_id(definition);
    define_way(definition);
  }
  [[nodiscard]] bool passes_output_on() const override { return true; }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const Opened opened, open(invocation));
    if (invocation.options().dry_run) {
      invocation.print(json::planned_commands(invocation.target(), {}),
                       "would log in to " + invocation.target() + "\n");
      return kExitDone;
    }
    if (invocation.json()) {
      return make_error(ErrorCode::kUsage, "login has no JSON: its output is the remote terminal's",
                        "`otto host ID run CMD` has");
    }
    if (!invocation.terminal().stdin_is_terminal) {
      return make_error(ErrorCode::kUsage, "login needs a terminal, and standard input is none",
                        "`otto host ID run CMD` and `oneshot CMD` need none");
    }
    OTTO_TRY(const auto terminal, open_terminal(*opened.host, invocation.stop()));
    invocation.progress().finish();
    asked_for_ = true;
    return join(invocation, *terminal);
  }
  int exit_code_of(const Error& error) const override {
    return asked_for_ ? exit_code_of_remote_command(error.code) : exit_code(error.code);
  }

 private:
  static Result<std::unique_ptr<RemoteTerminal>> open_terminal(Host& host, const std::stop_token& stop) {
    const FrameSize size = screen_size_of(STDIN_FILENO);
    const char* const term = std::getenv("TERM");
    TerminalOptions options;
    if (term != nullptr && *term != '\0') options.term = term;
    options.columns = static_cast<unsigned>(size.columns);
    options.rows = static_cast<unsigned>(size.rows);
    options.settings_of = STDIN_FILENO;
    options.stop = stop;
    return host.open_terminal(options);
  }

  static Result<int> join(Invocation& invocation, RemoteTerminal& terminal) {
    const auto say = [&](std::string_view words) {
      if (!invocation.options().quiet)
        invocation.pass_on(true, render_notice(fmt::format("{}: {}", invocation.target(), words)));
    };
    say("logged in; Ctrl-] leaves");
    OTTO_TRY(const std::optional<int> code,
             join_terminal(
                 terminal, [&](std::string_view bytes) { invocation.pass_on(false, bytes); }, invocation.stop()));
    if (!code) {
      if (!invocation.options().quiet) invocation.pass_on(true, "\n");
      say("left");
      return kExitDone;
    }
    say(fmt::format("the session has ended (exit {})", *code));
    return *code;
  }

  bool asked_for_ = false;
};

constexpr std::array<Example, 3> kHostLoginExamples = {{
    {"otto host pepper_seed login", "the log-in shell of a machine"},
    {"otto host pepper_seed.repo1.api login", "a shell in a container: bash where there is one, else sh"},
    {"otto host --hop gate pepper_seed login", "through another host first"},
}};

}  // namespace

constinit const VerbInfo kHostLogin = {
    "host ID login",
    "",
    "a terminal on a host",
    "Opens the user's own shell on a terminal there. Every key goes to the host, Ctrl-C too; Ctrl-] leaves, and what "
    "runs there is hung up. The window's size follows, and full-screen programs work. A declared container that is "
    "not "
    "running is started first, without building; its image must have /bin/sh.\n\n"
    "Standard input must be a terminal. It is restored however the session ends; only after SIGKILL of otto itself, "
    "type 'reset'. -q leaves out otto's own lines at the beginning and the end.",
    kHostLoginExamples,
    "The remote shell's own exit code, or 128 + its signal; 0 after Ctrl-]. 255 if the connection was lost. Failures "
    "before the log-in follow the table.",
    []() -> std::unique_ptr<Verb> { return std::make_unique<HostLogin>(); },
};

}  // namespace otto::cli
