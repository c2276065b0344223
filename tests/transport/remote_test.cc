// Scripts through the bootstrap: every login shell, arguments, input beside output, noise, failures.
#include "transport/remote.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include "graph/base/text.h"
#include "tests/support/fake_transport.h"
#include "tests/transport/exec_helpers.h"
#include "transport/bootstrap.h"
#include "transport/local/local_transport.h"
#include "transport/os/subprocess.h"

namespace otto::transport {
namespace {

namespace fs = std::filesystem;

TEST(Bootstrap, AScriptSurvivesItsEncoding) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& script : {std::string("echo hi"), std::string("a\\n\nb\\\\\n\n"), std::string(), all}) {
    const std::string line = encode_script(script);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(decode_script(line), script);
  }
  EXPECT_EQ(decode_script("no end"), std::nullopt);
  EXPECT_EQ(decode_script("bad \\x\n"), std::nullopt);
}

TEST(Bootstrap, TheLineIsNeutral) {
  const std::string_view line = bootstrap_line();
  EXPECT_EQ(line.find_first_of("\n!\\"), std::string_view::npos);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\''), 2);
}

TEST(Bootstrap, ALineWithItsScriptIsNeutralToo) {
  const std::string line = script_line("it's\n\\ !\t" + std::string(3000, 'x'));
  EXPECT_EQ(line.find_first_of("\n!\t"), std::string::npos);
  EXPECT_EQ(line.find("\\\\"), std::string::npos) << "fish reads two as one";
  EXPECT_EQ(line.find("\\'"), std::string::npos);
  for (const auto& word : text::split(line, ' ')) EXPECT_LE(word.size(), 1000U) << "csh takes 1024";
}

TEST(MarkFilter, DropsWhatComesBeforeTheMark) {
  MarkFilter filter("mark");
  EXPECT_EQ(filter.feed("motd\nma"), "");
  EXPECT_EQ(filter.feed("rk"), "");
  EXPECT_EQ(filter.feed("\nfirst"), "first");
  EXPECT_EQ(filter.feed("mark\n"), "mark\n");
  EXPECT_EQ(filter.noise(), "motd\n");
  MarkFilter never("mark");
  EXPECT_EQ(never.feed("This account is not available.\n"), "");
  EXPECT_EQ(never.held(), "This account is not available.\n");
  EXPECT_EQ(never.noise(), "") << "that is what it had to say";
}

class LoginShell : public ::testing::TestWithParam<std::string> {};

TEST_P(LoginShell, RunsTheSameScript) {
  Remote remote(std::make_unique<LocalTransport>("here", GetParam()));
  Script script;
  script.text =
      "printf '%s|' \"$@\" \"$#\"\n"
      "x='back\\slash \"quote\" `tick` !bang $dollar %d'\n"
      "printf '%s\\n' \"$x\"\n"
      "cat <<'END'\n  here $x \\\nEND\n"
      "printf '\\303\\244 \xc3\xa4 \xff\\n'\n"
      "cat\n"
      "exit 3";
  script.args = {"", "two words", "it's", "new\nline", "*"};
  script.input = [](const Writer& write) { return write("input\\ !\n without end"); };
  const auto output = remote.run(script);
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->out,
            "|two words|it's|new\nline|*|5|back\\slash \"quote\" `tick` !bang $dollar %d\n"
            "  here $x \\\n\xc3\xa4 \xc3\xa4 \xff\ninput\\ !\n without end");
  EXPECT_EQ(output->err, "");
  EXPECT_EQ(output->status.code, 3);
}

TEST_P(LoginShell, TakesAScriptFromItsCommandLine) {
  LocalTransport transport("here", GetParam());
  std::string script = "x='it'\\''s \"quoted\" `tick` !bang $dollar %d \\0101'\nprintf '%s\\n' \"$x\"\ncat\n";
  for (int line = 0; line < 300; ++line) script += "# a line of many, so that it takes several words\n";
  const Ran ran = run_line(transport, script_line(script + "exit 3"), "input");
  EXPECT_EQ(ran.out, "it's \"quoted\" `tick` !bang $dollar %d \\0101\ninput");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.status.code, 3);
}

/// Words are cut anywhere: shells that join them must not take their first character for more than itself.
TEST(Bootstrap, AnyCharacterMayBeginAWord) {
  LocalTransport transport("here", "/bin/sh");
  for (char c = ' '; c <= '~'; ++c) {
    if (c == '\'') continue;
    const std::string many(2000, c);
    const Ran ran = run_line(transport, script_line("printf %s '" + many + "'"), "");
    EXPECT_EQ(ran.out, many) << c;
    EXPECT_EQ(ran.err, "") << c;
  }
}

std::vector<std::string> installed_shells() {
  std::vector<std::string> shells;
  for (const char* shell : {"/bin/sh", "/bin/bash", "/bin/dash", "/bin/tcsh", "/usr/bin/fish", "/bin/zsh"}) {
    if (fs::exists(shell)) shells.emplace_back(shell);
  }
  return shells;
}

INSTANTIATE_TEST_SUITE_P(Installed, LoginShell, ::testing::ValuesIn(installed_shells()),
                         [](const auto& shell) { return fs::path(shell.param).filename().string(); });

class RemoteRun : public ::testing::Test {
 protected:
  Remote remote_{std::make_unique<LocalTransport>("here", "/bin/sh")};
};

TEST_F(RemoteRun, WritesWhileItReads) {
  const std::string sent = noise(3 << 20);
  Script script{.text = "cat"};
  script.input = [&](const Writer& write) { return write(sent); };
  const auto output = remote_.run(script);
  ASSERT_TRUE(output.ok());
  EXPECT_TRUE(output->out == sent);
}

TEST_F(RemoteRun, HandsOutputOverAsItComes) {
  std::string out;
  std::string err;
  Script script{.text = "echo o; echo e >&2"};
  script.on_output = [&](Stream stream, std::string_view bytes) { (stream == Stream::kStdout ? out : err) += bytes; };
  const auto output = remote_.run(script);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(out, "o\n");
  EXPECT_EQ(err, "e\n");
  EXPECT_EQ(output->out + output->err, "");
}

TEST_F(RemoteRun, ACommandThatEndsBeforeItsInputIsNoError) {
  Script script{.text = "exit 2"};
  std::optional<ErrorCode> seen;
  script.input = [&](const Writer& write) -> Result<void> {
    for (;;) {
      auto written = write(std::string(65536, 'x'));
      if (written.ok()) continue;
      seen = written.error().code;
      return written;
    }
  };
  const auto output = remote_.run(script);
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->status.code, 2);
  EXPECT_EQ(seen, ErrorCode::kRemoteFailed);
}

TEST_F(RemoteRun, AFailingSourceIsTheError) {
  Script script{.text = "cat; echo complete"};
  script.input = [](const Writer& write) -> Result<void> {
    OTTO_RETURN_IF_ERROR(write("half"));
    return make_error(ErrorCode::kInputsChanged, "the file grew");
  };
  const auto output = remote_.run(script);
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code, ErrorCode::kInputsChanged);
}

TEST_F(RemoteRun, AStopInterrupts) {
  std::stop_source stop;
  Script script{.text = "echo begun; sleep 60"};
  script.stop = stop.get_token();
  script.on_output = [&](Stream, std::string_view) { stop.request_stop(); };
  const auto output = remote_.run(script);
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code, ErrorCode::kInterrupted);
}

TEST_F(RemoteRun, TakesAScriptOfRealSize) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "# a line of a script of twenty kB\n";
  const auto output = remote_.run({.text = text + "echo done"});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "done\n");
}

TEST(RemoteNoise, WhatRcFilesPrintIsDropped) {
  const fs::path home = fs::temp_directory_path() / ("otto-home-" + random_token());
  fs::create_directory(home);
  std::ofstream(home / "shell") << "#!/bin/sh\necho welcome; echo warning >&2\nexec sh \"$@\"\n";
  fs::permissions(home / "shell", fs::perms::owner_all);
  Remote remote(std::make_unique<LocalTransport>("here", (home / "shell").string()));
  const auto output = remote.run({.text = "echo clean; echo err >&2"});
  fs::remove_all(home);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "clean\n");
  EXPECT_EQ(output->err, "err\n");
}

/// As sshd does with ForceCommand, and nologin: whatever is asked for, something else runs.
TEST(RemoteElsewhere, WhatRunsSomethingElseIsNeverBelieved) {
  const std::string shell = fs::temp_directory_path() / ("otto-forced-" + std::to_string(::getpid()));
  for (const int code : {0, 1}) {
    std::ofstream(shell) << "#!/bin/sh\necho the menu; echo of this host >&2\nexit " << code << "\n";
    fs::permissions(shell, fs::perms::owner_all);
    Remote remote(std::make_unique<LocalTransport>("here", shell));
    std::string shown;
    Script script;
    script.text = "echo clean";
    script.on_output = [&](Stream, std::string_view bytes) { shown += bytes; };
    for (const bool job : {false, true}) {
      const auto output = job ? remote.run_job(script) : remote.run(script);
      ASSERT_FALSE(output.ok());
      EXPECT_EQ(output.error().code, ErrorCode::kRemoteFailed);
      EXPECT_NE(output.error().message.find("runs something else"), std::string::npos) << output.error().message;
      EXPECT_NE(output.error().message.find("the menu"), std::string::npos) << output.error().message;
      EXPECT_NE(output.error().hint.find("ForceCommand"), std::string::npos);
      EXPECT_EQ(shown, "") << "what another program says is no output of the command";
    }
  }
  fs::remove(shell);
}

TEST(ExpectSuccess, TellsTheLastLinesOfStderr) {
  Output failed;
  failed.status.code = 4;
  for (int i = 0; i < 30; ++i) failed.err += "line " + std::to_string(i) + "\n";
  failed.err += "the \x1b[31mreason\n";
  const auto result = expect_success(failed, ErrorCode::kBuildFailed, "docker build");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBuildFailed);
  EXPECT_EQ(result.error().message.find("line 1\n"), std::string::npos);
  EXPECT_NE(result.error().message.find("docker build failed (exit 4)"), std::string::npos);
  EXPECT_NE(result.error().message.find("reason"), std::string::npos);
  EXPECT_EQ(result.error().message.find('\x1b'), std::string::npos);
  EXPECT_TRUE(expect_success(Output{}, ErrorCode::kIo, "x").ok());
}

}  // namespace
}  // namespace otto::transport
