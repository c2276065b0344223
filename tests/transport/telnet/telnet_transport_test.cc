// Commands over a real telnetd, by the same contract as over ssh.
#include "transport/telnet/telnet_transport.h"

#include <thread>

#include "tests/support/sshd_fixture.h"
#include "tests/support/telnetd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/remote.h"

namespace otto::transport {
namespace {

using otto::testing::connect_or_fail;
using otto::testing::TelnetdFixture;

TEST(Telnet, StreamsExitAndInputOneLogInForMany) {
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  for (int code : {3, 0, 255}) {
    const Ran ran = run_line(*transport, "cat; echo err >&2; exit " + std::to_string(code), "in\n");
    EXPECT_EQ(ran.out, "in\n");
    EXPECT_EQ(ran.err, "err\n");
    EXPECT_EQ(ran.status.code, code);
  }
  EXPECT_EQ(run_line(*transport, "printf x; printf y >&2; kill -TERM $$").status.shell_code(), 143);
  EXPECT_EQ(run_line(*transport, "true").out, "");
  EXPECT_EQ(telnetd.logins(), 1U);
  EXPECT_GT(transport->counters().bytes_received, 0U);
}

TEST(Telnet, EveryByteBothWays) {
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  std::string sent = noise(100'000);
  for (int c = 0; c < 256; ++c) sent += std::string(5, static_cast<char>(c)) + "\r\n";
  auto started = transport->start(Command{"tee /dev/stderr"});
  ASSERT_TRUE(started.ok()) << started.error().message;
  Process& process = **started;
  std::jthread writer([&] {
    EXPECT_TRUE(process.write(sent).ok());
    EXPECT_TRUE(process.close_stdin().ok());
  });
  std::string out, err;
  for (;;) {
    auto chunk = process.read();
    ASSERT_TRUE(chunk.ok()) << chunk.error().message;
    if (!*chunk) break;
    ((*chunk)->stream == Stream::kStdout ? out : err) += (*chunk)->bytes;
  }
  EXPECT_TRUE(out == sent);
  EXPECT_TRUE(err == sent);
}

TEST(Telnet, OutputComesAsItIsMadeAndInputIsNotAwaited) {
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  auto started =
      transport->start(Command{"printf first; read -r a; printf \"[$a]\"; read -r b; printf \"[$b]\"; exit 4"});
  ASSERT_TRUE(started.ok());
  Process& process = **started;
  for (const auto& [expected, answer] : {std::pair("first", "1\n"), std::pair("[1]", "2\n"), std::pair("[2]", "")}) {
    const auto chunk = process.read();
    ASSERT_TRUE(chunk.ok() && *chunk);
    EXPECT_EQ((*chunk)->bytes, expected);
    if (*answer != '\0') {
      EXPECT_TRUE(process.write(answer).ok());
    }
  }
  EXPECT_EQ(process.wait()->code, 4);  // though its input was never closed
  EXPECT_EQ(process.write("late").error().code, ErrorCode::kRemoteFailed);
  EXPECT_EQ(process.signal("TERM").error().code, ErrorCode::kUnsupported);
}

TEST(Telnet, SeveralAtOnceAndTimeouts) {
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  auto waiting = transport->start(Command{"read -r a; echo $a"});
  ASSERT_TRUE(waiting.ok());
  EXPECT_EQ((*waiting)->read(std::chrono::milliseconds(20)).error().code, ErrorCode::kTimedOut);
  EXPECT_EQ(run_line(*transport, "echo other").out, "other\n");
  ASSERT_TRUE((*waiting)->write("now\n").ok());
  EXPECT_EQ((*(*waiting)->read())->bytes, "now\n");
  EXPECT_EQ(telnetd.logins(), 2U);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ((*waiting)->read({}, stop.get_token()).error().code, ErrorCode::kInterrupted);
}

TEST(Telnet, JobsEndWithTheirStop) {
  const TelnetdFixture telnetd;
  auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  Remote remote(std::move(transport));
  const std::string file = telnetd.path("pid").string();
  std::stop_source stop;
  Script script;
  script.text = "echo $$ > " + file + "; echo begun; sleep 1000";
  script.stop = stop.get_token();
  script.on_output = [&](Stream, std::string_view) { stop.request_stop(); };
  const auto output = remote.run_job(script);
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code, ErrorCode::kInterrupted);
  Script look;
  look.text =
      "read -r p < " + file +
      "; i=0; while kill -0 $p 2>/dev/null && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; done; echo $((i < 100))";
  EXPECT_EQ(remote.run(look)->out, "1\n");
}

TEST(Telnet, ATerminal) {
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{}, telnetd.address()});
  ASSERT_TRUE(transport);
  Command command{"stty size; echo $TERM; read -r a; echo \"[$a]\"; exit 7"};
  command.pty = PtyRequest{"vt100", 101, 33};
  auto started = transport->start(command);
  ASSERT_TRUE(started.ok());
  bool typed = false;  // once the command reads: before that the echo comes in between
  std::string seen;
  for (;;) {
    const auto chunk = (*started)->read();
    ASSERT_TRUE(chunk.ok()) << chunk.error().message;
    if (!*chunk) break;
    seen += (*chunk)->bytes;
    if (typed || seen.find("vt100\r\n") == std::string::npos) continue;
    ASSERT_TRUE((*started)->write("gr\xc3\xbc\xc3\x9f\r").ok());
    typed = true;
  }
  EXPECT_NE(seen.find("33 101\r\nvt100\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("[gr\xc3\xbc\xc3\x9f]\r\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("otto"), std::string::npos) << seen;
  EXPECT_EQ((*started)->wait()->code, 7);
}

TEST(Telnet, ShellsOfOtherKindsAndNoise) {
  const TelnetdFixture quiet("exec env PS1= /bin/sh -i");
  EXPECT_EQ(run_line(*connect_or_fail({{}, quiet.address()}), "echo hi").out, "hi\n");
  const TelnetdFixture noisy(
      "printf 'Press nothing: 100%%\\nlogin: none\\n'; exec env PS1='odd [prompt] ' /bin/bash --norc -i");
  EXPECT_EQ(run_line(*connect_or_fail({{}, noisy.address()}), "echo hi").out, "hi\n");
}

TEST(Telnet, RefusalsSayWhoAndWhy) {
  const TelnetdFixture telnetd;
  const auto refused = [&](Address address) {
    const auto transport = connect({{}, address}, {});
    EXPECT_FALSE(transport.ok());
    return transport.ok() ? Error{} : transport.error();
  };
  Address address = telnetd.address();
  address.password = "wrong";
  Error error = refused(address);
  EXPECT_EQ(error.code, ErrorCode::kAuthFailed);
  EXPECT_NE(error.message.find("refuses the log-in as 'otto': Login incorrect"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find("wrong"), std::string::npos);
  address.password.reset();
  error = refused(address);
  EXPECT_NE(error.message.find("asks for a password"), std::string::npos) << error.message;
  address.user.reset();
  EXPECT_NE(refused(address).message.find("asks for a user"), std::string::npos);
  address.port = otto::testing::free_port();
  EXPECT_EQ(refused(address).code, ErrorCode::kUnreachable);
  const TelnetdFixture closing("exit 0");
  error = refused(closing.address());
  EXPECT_NE(error.message.find("it closed the connection"), std::string::npos) << error.message;
}

TEST(Telnet, ThroughAnSshHop) {
  const otto::testing::SshdFixture sshd;
  const TelnetdFixture telnetd;
  const auto transport = connect_or_fail({{sshd.address("gate")}, telnetd.address()});
  ASSERT_TRUE(transport);
  EXPECT_EQ(run_line(*transport, "cat", "through\n").out, "through\n");
  Address closed = telnetd.address();
  closed.port = otto::testing::free_port();
  const auto failed = connect({{sshd.address("gate")}, closed}, {});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kUnreachable);
  EXPECT_NE(failed.error().message.find("gate"), std::string::npos) << failed.error().message;
}

}  // namespace
}  // namespace otto::transport
