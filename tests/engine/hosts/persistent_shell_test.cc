// One shell, many calls: state, exit codes, outputs kept apart, and commands that run out of time; in several shells.
#include "engine/hosts/persistent_shell.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/engine/hosts/local_access.h"
#include "tests/support/temp_tree.h"

namespace otto::hosts {
namespace {

using std::chrono::milliseconds;
using testing::LocalAccess;

TEST(MarkScanner, CutsAtMarksWhereverPiecesEnd) {
  const std::string stream = "out;MAmiddleMARK3;x;restMARK4;y;tail";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    MarkScanner scanner("MARK", 2);
    std::string shown;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      scanner.feed(std::string_view(stream).substr(at, size));
      for (;;) {
        const auto piece = scanner.next();
        shown += piece.bytes;
        if (!piece.marked) break;
        shown += "<" + piece.fields[0] + piece.fields[1] + ">";
      }
    }
    EXPECT_EQ(shown + scanner.rest(), "out;MAmiddle<3x>rest<4y>tail") << size;
  }
}

class ShellOf : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    before_ = std::getenv("SHELL") == nullptr ? "" : std::getenv("SHELL");
    std::string shell = GetParam();
    if (shell == "ash") {
      std::filesystem::create_symlink("/bin/busybox", tree_.path("ash"));
      shell = tree_.path("ash");
    }
    ::setenv("SHELL", shell.c_str(), 1);
  }
  void TearDown() override { ::setenv("SHELL", before_.c_str(), 1); }

  CommandResult run(const std::vector<std::string>& commands, milliseconds timeout = {}, bool last = false) {
    RunOptions options;
    options.timeout = timeout;
    options.last = last;
    auto result = shell_.run(commands, options);
    if (!result.ok()) ADD_FAILURE() << result.error().message;
    return result.ok() ? *result : CommandResult{};
  }
  std::string out(const std::vector<std::string>& commands) { return run(commands).out; }

  testing::TempTree tree_;
  std::string before_;
  LocalAccess access_;
  PersistentShell shell_{access_};
};

TEST_P(ShellOf, StatePersistsBetweenCalls) {
  EXPECT_EQ(run({"cd /usr", "X='a  b'; f() { echo \"f $1\"; }"}).exit_code, 0);
  EXPECT_EQ(out({"pwd; echo \"$X\""}), "/usr\na  b\n");
  EXPECT_EQ(out({"set -f", "set -- 1 '2 3'"}), "");
  EXPECT_EQ(out({"echo * \"$2\"; f 'it'\\''s'"}), "* 2 3\nf it's\n");
  EXPECT_EQ(access_.jobs, 1);
}

TEST_P(ShellOf, EachCallEndsWithItsFirstFailure) {
  const CommandResult failed = run({"echo one", "echo bad >&2; (exit 7)", "echo never"});
  EXPECT_EQ(failed.exit_code, 7);
  EXPECT_EQ(failed.out, "one\n");
  EXPECT_EQ(failed.err, "bad\n");
  EXPECT_EQ(out({"echo goes on"}), "goes on\n");
  EXPECT_EQ(run({"break"}).exit_code, 0);
}

TEST_P(ShellOf, OutputsWithoutLineEndsInputAndManyLines) {
  const CommandResult result = run({"printf no-end; printf err >&2", "cat", "cat <<END\na $((1+1))\nEND"});
  EXPECT_EQ(result.out, "no-enda 2\n");
  EXPECT_EQ(result.err, "err");
  EXPECT_EQ(run({"head -c 3000000 /dev/zero"}).out.size(), 3000000U);
  EXPECT_EQ(run({"exec >/dev/null"}).exit_code, 0);
  EXPECT_EQ(run({"echo hidden; echo seen >&2"}).err, "seen\n");
}

TEST_P(ShellOf, AfterExitThereIsAFreshShell) {
  EXPECT_EQ(run({"X=1; exit 3", "echo never"}).exit_code, 3);
  EXPECT_EQ(out({"echo \"[$X]\""}), "[]\n");
  EXPECT_EQ(run({"kill -KILL $$"}).exit_code, 137);
  EXPECT_EQ(run({"echo last; (exit 4)", "echo never"}, {}, true).exit_code, 4);
  EXPECT_EQ(out({"echo again"}), "again\n");
}

TEST_P(ShellOf, AnOverdueCommandIsInterruptedAndTheStateStays) {
  run({"cd /usr; X=kept; sleep 600.301 & other=$!"});
  for (const char* command : {"sleep 600.302; echo never", "while :; do sleep 0.01; done; echo never",
                              "echo begun; (sleep 600.303 | cat); echo never"}) {
    const CommandResult late = run({command, "echo never"}, milliseconds(300));
    EXPECT_TRUE(late.timed_out) << command;
    EXPECT_EQ(late.exit_code, 124) << command;
    EXPECT_EQ(late.out.find("never"), std::string::npos) << command;
    EXPECT_EQ(out({"pwd; echo $X"}), "/usr\nkept\n") << command;
  }
  EXPECT_EQ(run({"kill -0 $other && kill $other"}).exit_code, 0);  // what was in the background before is left alone
}

TEST_P(ShellOf, OneThatIgnoresTheInterruptIsKilled) {
  run({"X=kept"});
  const std::string sleeps = "sleep 600." + std::to_string(::getpid());  // other tests look for theirs at the same time
  const CommandResult late = run({"sh -c \"trap '' INT; " + sleeps + "4; " + sleeps + "5\""}, milliseconds(300));
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(out({"echo $X; pgrep -f '" + sleeps + "[45]' || echo gone"}), "kept\ngone\n");
}

TEST_P(ShellOf, AShellThatCannotBeBroughtBackIsReplaced) {
  const CommandResult late = run({"trap '' INT; while :; do :; done"}, milliseconds(300));
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(out({"echo usable"}), "usable\n");
}

TEST_P(ShellOf, AStopEndsTheCommandAndTheShell) {
  std::stop_source stop;
  RunOptions options;
  options.stop = stop.get_token();
  options.on_output = [&](bool, std::string_view) { stop.request_stop(); };
  const auto result = shell_.run({"echo begun; sleep 600.306"}, options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(out({"echo usable"}), "usable\n");
}

INSTANTIATE_TEST_SUITE_P(Shells, ShellOf, ::testing::Values("/bin/dash", "/bin/bash", "/bin/ksh", "ash"),
                         [](const auto& param) {
                           const std::string shell = param.param;
                           return shell.substr(shell.rfind('/') + 1);
                         });

}  // namespace
}  // namespace otto::hosts
