// What the library's sessions and timeouts do on one host, told in lines: session_probe REPO_DIR HOST SLEEP.
//
// SLEEP is the duration of the command that is overdue, by which the test finds it. For tests/e2e/test_sessions.py; the
// command line has neither sessions nor timeouts.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "otto/host.h"

namespace {

using namespace otto;
using std::chrono::milliseconds;

void tell(std::string_view what, std::string_view value) { fmt::print("{}: {}\n", what, value); }

/// Of what must not fail; what fails is told and ends the program.
template <typename T>
T value_of(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  tell("failed", result.error().message);
  std::exit(1);
}

void require(const Result<void>& result) {
  if (result.ok()) return;
  tell("failed", result.error().message);
  std::exit(1);
}

void overdue_commands(Host& host, const std::string& sleep) {
  RunOptions in_time;
  in_time.timeout = milliseconds(60'000);
  value_of(host.run({"cd /tmp; kept=state; set -u"}, in_time));
  RunOptions soon;
  soon.timeout = milliseconds(1'000);
  const CommandResult overdue = value_of(host.run({"echo begun; sleep " + sleep, "echo never"}, soon));
  tell("overdue", fmt::format("{} {} {:?}", overdue.exit_code, overdue.timed_out, overdue.out));
  const CommandResult deaf = value_of(host.run({"(trap '' INT; sleep " + sleep + "); echo never"}, soon));
  tell("deaf to SIGINT", fmt::format("{} {}", deaf.exit_code, deaf.timed_out));
  const CommandResult after = value_of(host.run({"echo $kept; pwd; echo ${nothing-$-} | tr -dc u"}, in_time));
  tell("state afterwards", fmt::format("{} {:?}", after.exit_code, after.out));
}

void sessions(Host& host) {
  SessionOptions quiet;
  quiet.echo = false;
  const auto shell = value_of(host.open_session("shell", quiet));
  SessionOptions reader;
  reader.program = "while read -r line; do echo \"<$line>\"; done";
  const auto other = value_of(host.open_session("other", reader));
  tell("a name twice", host.open_session("shell", {}).error().message);
  require(shell->send("echo $((6 * 7))-answer\n"));
  tell("group", value_of(shell->expect("([0-9]+)-answer")).groups.at(0));
  require(other->send("one\n"));
  tell("the other", value_of(other->expect("<.*>")).text);
  require(shell->send("cd /usr && pwd\n"));
  tell("directory", value_of(shell->expect("/usr")).text);
  const auto never = shell->expect("never shown", milliseconds(300));
  tell("not in time", never.ok() ? "shown" : never.error().code == ErrorCode::kTimedOut ? "timed out" : "other");
  require(shell->send("sh -c \"echo g''o; exec sleep 600\"\n"));  // shown once it is what Ctrl-C ends
  value_of(shell->expect("go"));
  require(shell->send("\x03"));
  value_of(shell->expect("[$#] "));  // the terminal drops what is typed before
  require(shell->send("echo sti''ll here\n"));
  tell("after Ctrl-C", value_of(shell->expect("still here")).text);
  require(shell->send("exit 5\n"));
  tell("exit code", std::to_string(value_of(shell->exit_code())));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  WorkspaceOptions options;
  options.repo_dirs = {argv[1]};
  options.cwd = argv[1];
  const auto workspace = value_of(Workspace::open(options, null_reporter()));
  const auto host = value_of(get_host(*workspace, argv[2]));
  overdue_commands(*host, argv[3]);
  sessions(*host);
}
