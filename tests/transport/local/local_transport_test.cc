// Commands on this machine, by the same contract as over ssh.
#include "transport/local/local_transport.h"

#include <signal.h>

#include <thread>

#include "graph/base/text.h"
#include "tests/transport/exec_helpers.h"

namespace otto::transport {
namespace {

class Local : public ::testing::Test {
 protected:
  std::unique_ptr<Process> begin(const std::string& line) {
    auto process = local_.start(Command{line}, {});
    EXPECT_TRUE(process.ok());
    return std::move(process).value();
  }
  LocalTransport local_{"here", "/bin/sh"};
};

TEST_F(Local, StreamsExitAndInput) {
  const Ran ran = run_line(local_, "cat; echo err >&2; exit 3", "in\n");
  EXPECT_EQ(ran.out, "in\n");
  EXPECT_EQ(ran.err, "err\n");
  EXPECT_EQ(ran.status.code, 3);
  EXPECT_EQ(local_.counters().bytes_sent, 3U);
  EXPECT_EQ(local_.counters().bytes_received, 7U);
  EXPECT_EQ(local_.host_id(), "here");
}

TEST_F(Local, SignalsReachTheWholeGroup) {
  const auto process = begin("sleep 60 & echo begun; wait");
  ASSERT_TRUE(process->read().ok());
  ASSERT_TRUE(process->signal("TERM").ok());
  EXPECT_EQ(process->wait()->signal, "TERM");  // its output has ended too: the sleeping child is gone
  EXPECT_EQ(process->signal("NOPE").error().code, ErrorCode::kUnsupported);
}

TEST_F(Local, EachCommandIsASessionOfItsOwn) {
  EXPECT_EQ(run_line(local_, "set -- $(cut -d' ' -f5,6 /proc/$$/stat); [ $1 = $$ ] && [ $2 = $$ ] && echo yes").out,
            "yes\n");
}

TEST_F(Local, MuchBothWaysByteForByte) {
  const std::string sent = noise(8 << 20);
  const auto process = begin("cat");
  std::jthread writer([&] {
    EXPECT_TRUE(process->write(sent).ok());
    EXPECT_TRUE(process->close_stdin().ok());
  });
  std::string got;
  for (;;) {
    auto chunk = process->read();
    ASSERT_TRUE(chunk.ok());
    if (!*chunk) break;
    got += (*chunk)->bytes;
  }
  EXPECT_TRUE(got == sent);
}

TEST_F(Local, ReadTimesOutOrIsStopped) {
  const auto process = begin("sleep 60");
  EXPECT_EQ(process->read(std::chrono::milliseconds(10)).error().code, ErrorCode::kTimedOut);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(process->read({}, stop.get_token()).error().code, ErrorCode::kInterrupted);
  ASSERT_TRUE(process->signal("KILL").ok());
}

TEST_F(Local, AStopInterruptsAWriteThatIsStuck) {
  const auto process = begin("sleep 60");
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto written = process->write(std::string(1 << 20, 'x'), stop.get_token());
  EXPECT_EQ(written.error().code, ErrorCode::kInterrupted);
  ASSERT_TRUE(process->signal("KILL").ok());
}

TEST_F(Local, WritingToAnEndedCommandSaysSo) {
  const auto process = begin("exit 0");
  ASSERT_TRUE(process->wait().ok());
  EXPECT_EQ(process->write("late").error().code, ErrorCode::kRemoteFailed);
}

TEST_F(Local, ADroppedCommandGoesOnAndIsReaped) {
  pid_t pid = 0;
  {
    const auto process = begin("echo $$; trap '' PIPE; read line; exec sleep 60");
    pid = std::atoi((*process->read())->bytes.c_str());
  }
  EXPECT_EQ(::kill(pid, 0), 0);
  ::kill(pid, SIGKILL);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (::kill(pid, 0) == 0 && std::chrono::steady_clock::now() < deadline) begin("exit 0");
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ExitStatus, AsShellsReportIt) {
  EXPECT_EQ((ExitStatus{3, ""}).shell_code(), 3);
  EXPECT_EQ((ExitStatus{0, "KILL"}).shell_code(), 137);
  EXPECT_EQ((ExitStatus{0, "WEIRD"}).shell_code(), 255);
  EXPECT_TRUE((ExitStatus{0, ""}).success());
  EXPECT_FALSE((ExitStatus{0, "TERM"}).success());
  for (const int number : {SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGPIPE})
    EXPECT_EQ(signal_number(signal_name(number)), number);
}

}  // namespace
}  // namespace otto::transport
