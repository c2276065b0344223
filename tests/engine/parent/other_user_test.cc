#include "engine/parent/other_user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/base/text.h"
#include "transport/local/local_transport.h"
#include "transport/remote.h"

namespace otto::parent {
namespace {

transport::Output run(const std::string& script, const std::string& input = "") {
  transport::Remote remote(std::make_unique<transport::LocalTransport>("here", "/bin/sh"));
  transport::Script job;
  job.text = std::string(hangable_function()) + script;
  job.input = [&](const transport::Writer& write) { return write(input); };
  auto output = remote.run_job(job);
  EXPECT_TRUE(output.ok()) << output.error().message;
  return output.ok() ? std::move(*output) : transport::Output{};
}

TEST(OtherUser, SudoByAnyPath) {
  EXPECT_TRUE(changes_user({"sudo", "-n", "docker"}));
  EXPECT_TRUE(changes_user({"env", "A=b", "/usr/bin/doas", "docker"}));
  EXPECT_FALSE(changes_user({"docker"}));
  EXPECT_FALSE(changes_user({"/opt/sudo/docker"}));
}

TEST(Hangable, WordsStreamsAndExitCodeAreTheCommandsOwn) {
  const std::vector<std::string> words = {"a'b", "''", "'\\''", "$HOME `x` \"q\"", "two\nlines", "", "ü\\"};
  const auto output = run("otto_hangable printf '[%s]' " + text::shell_join(words) + "\n");
  std::string expected;
  for (const std::string& word : words) expected += "[" + word + "]";
  EXPECT_EQ(output.out, expected);
  EXPECT_EQ(output.err, "");

  const std::string bytes("\x03\x04\x1a\r\n\0end", 9);
  const auto copied = run("otto_hangable sh -c 'cat; echo err >&2; tty </dev/tty >&2; exit 7'\n", bytes);
  EXPECT_EQ(copied.out, bytes);
  EXPECT_THAT(copied.err, ::testing::MatchesRegex("err\n/dev/(tty|pts/[0-9]+)\n"));
  EXPECT_EQ(copied.status.code, 7);
}

TEST(Hangable, ASignalIsToldAsAShellDoes) {
  EXPECT_EQ(run("otto_hangable sh -c 'kill -s PIPE $$'\nexit $?\n").status.code, 141);
}

TEST(Hangable, TooLongALineRunsWithoutATerminal) {
  const auto output =
      run("w=x; while [ ${#w} -lt 60000 ]; do w=$w$w; done\n"
          "otto_hangable sh -c 'printf %s \"${#1} ${#2}\"; : </dev/tty' sh $w $w 2>/dev/null\n");
  EXPECT_EQ(output.out, "65536 65536");
  EXPECT_NE(output.status.code, 0) << "there is a terminal";
}

TEST(Hangable, WithoutScriptItRunsAllTheSame) {
  EXPECT_EQ(run("PATH=/nowhere; otto_hangable /bin/sh -c 'echo in'\n").out, "in\n");
}

}  // namespace
}  // namespace otto::parent
