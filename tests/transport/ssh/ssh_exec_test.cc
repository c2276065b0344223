// Commands over a real sshd: streams, input, exit, volume in both directions, many at once, few sessions allowed.
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/connect.h"

namespace otto::transport {
namespace {

using testing::connect_or_fail;
using testing::SshdFixture;

class SshExec : public ::testing::Test {
 protected:
  void connect(testing::SshdOptions options = {}) {
    sshd_ = std::make_unique<SshdFixture>(std::move(options));
    transport_ = connect_or_fail(Route{{}, sshd_->address()});
    ASSERT_NE(transport_, nullptr);
  }
  /// What it says within ten seconds.
  std::string run_urgent(const std::string& line) {
    std::stop_source late;
    std::jthread clock([&](const std::stop_token& done) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      if (std::condition_variable_any().wait_for(lock, done, std::chrono::seconds(10), [] { return false; })) return;
      if (!done.stop_requested()) late.request_stop();
    });
    Command command{line};
    command.claim = Claim::kUrgent;
    auto process = transport_->start(command, late.get_token());
    if (!process) return process.error().message;
    auto chunk = (*process)->read(std::chrono::seconds(10));
    return chunk.ok() && *chunk ? (*chunk)->bytes : "nothing came";
  }

  std::unique_ptr<SshdFixture> sshd_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(SshExec, KeepsStreamsApartAndGivesTheExitCode) {
  connect();
  const Ran ran = run_line(*transport_, "echo out; echo err >&2; exit 3");
  EXPECT_EQ(ran.out, "out\n");
  EXPECT_EQ(ran.err, "err\n");
  EXPECT_EQ(ran.status.code, 3);
  EXPECT_TRUE(ran.status.signal.empty());
  EXPECT_EQ(transport_->counters().bytes_received, 8U);
}

TEST_F(SshExec, NamesTheSignalThatEndedACommand) {
  connect();
  const Ran ran = run_line(*transport_, "kill -TERM $$");
  EXPECT_EQ(ran.status.signal, "TERM");
  EXPECT_EQ(ran.status.shell_code(), 143);
  EXPECT_FALSE(ran.status.success());
}

TEST_F(SshExec, PassesInputAndItsEnd) {
  connect();
  const Ran ran = run_line(*transport_, "cat; echo done", std::string_view("a\0b\n", 4));
  EXPECT_EQ(ran.out, std::string("a\0b\ndone\n", 9));
  EXPECT_EQ(transport_->counters().bytes_sent, 4U);
}

TEST_F(SshExec, SendsSignals) {
  connect();
  auto process = transport_->start(Command{"exec cat"});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->signal("INT").ok());
  if (::getuid() == 0) {  // sshd gives no signals to root's commands
    ASSERT_TRUE((*process)->close_stdin().ok());
  }
  const auto status = (*process)->wait();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->signal, ::getuid() == 0 ? "" : "INT");
}

TEST_F(SshExec, GivesATerminalOfTheAskedSize) {
  connect();
  Command command{"stty size; read line; stty size"};
  command.pty = PtyRequest{"xterm", 100, 30};
  auto process = transport_->start(command);
  ASSERT_TRUE(process.ok());
  auto first = (*process)->read();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->bytes, "30 100\r\n");
  ASSERT_TRUE((*process)->resize(111, 33).ok());
  ASSERT_TRUE((*process)->write("x\n").ok());
  std::string rest;
  for (;;) {
    auto chunk = (*process)->read();
    ASSERT_TRUE(chunk.ok());
    if (!*chunk) break;
    rest += (*chunk)->bytes;
  }
  EXPECT_NE(rest.find("33 111"), std::string::npos) << rest;
}

TEST_F(SshExec, MovesMuchInBothDirectionsAtOnceByteForByte) {
  connect();
  const std::string sent = noise(64 << 20);
  auto process = transport_->start(Command{"cat"});
  ASSERT_TRUE(process.ok());
  std::jthread writer([&] {
    EXPECT_TRUE((*process)->write(sent).ok());
    EXPECT_TRUE((*process)->close_stdin().ok());
  });
  std::string got;
  got.reserve(sent.size());
  for (;;) {
    auto chunk = (*process)->read();
    ASSERT_TRUE(chunk.ok());
    if (!*chunk) break;
    got += (*chunk)->bytes;
  }
  EXPECT_TRUE(got == sent) << got.size();
}

TEST_F(SshExec, ASlowReaderStopsTheWriterAndLosesNothing) {
  connect();
  auto process = transport_->start(Command{"head -c 12000000 /dev/zero; echo end"});
  ASSERT_TRUE(process.ok());
  const Ran other = run_line(*transport_, "echo meanwhile");  // while the first one's window is closed
  EXPECT_EQ(other.out, "meanwhile\n");
  std::size_t size = 0;
  for (;;) {
    auto chunk = (*process)->read();
    ASSERT_TRUE(chunk.ok());
    if (!*chunk) break;
    size += (*chunk)->bytes.size();
  }
  EXPECT_EQ(size, 12000004U);
}

TEST_F(SshExec, SurvivesRekeying) {
  connect({.config = {"RekeyLimit 1M"}});
  const std::string sent = noise(6 << 20);
  const Ran ran = run_line(*transport_, "cat >$HOME/copy; cat $HOME/copy", sent);
  EXPECT_TRUE(ran.out == sent);
}

TEST_F(SshExec, ReadTimesOutAndCanGoOn) {
  connect();
  auto process = transport_->start(Command{"read line; echo \"got $line\""});
  ASSERT_TRUE(process.ok());
  auto nothing = (*process)->read(std::chrono::milliseconds(20));
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kTimedOut);
  ASSERT_TRUE((*process)->write("it\n").ok());
  auto chunk = (*process)->read();
  ASSERT_TRUE(chunk.ok() && chunk->has_value());
  EXPECT_EQ((*chunk)->bytes, "got it\n");
}

TEST_F(SshExec, AStopEndsWaitingAtOnce) {
  connect();
  auto process = transport_->start(Command{"sleep 60"});
  ASSERT_TRUE(process.ok());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  auto chunk = (*process)->read({}, stop.get_token());
  ASSERT_FALSE(chunk.ok());
  EXPECT_EQ(chunk.error().code, ErrorCode::kInterrupted);
}

TEST_F(SshExec, WritingToAnEndedCommandSaysSo) {
  connect();
  auto process = transport_->start(Command{"exit 0"});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->wait().ok());
  const auto written = (*process)->write("late");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kRemoteFailed);
}

TEST_F(SshExec, TwentyAtOnceQueueBelowTheServersLimit) {
  connect();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      const Ran ran = run_line(*transport_, "echo " + std::to_string(i));
      if (ran.out == std::to_string(i) + "\n" && ran.status.success()) ++good;
    });
  }
  threads.clear();
  EXPECT_EQ(good, 20);
  EXPECT_EQ(sshd_->log().find("no more sessions"), std::string::npos);
}

TEST_F(SshExec, AnswersToManyRequestsAtOnceAreToldApart) {
  connect();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 12; ++turn) {
        if (run_line(*transport_, "echo x").out == "x\n") ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 96);
}

TEST_F(SshExec, ARefusedChannelIsTriedAgainWhenAnotherCloses) {
  connect({.config = {"MaxSessions 2"}});
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      if (run_line(*transport_, "echo x").status.success()) ++good;
    });
  }
  threads.clear();
  EXPECT_EQ(good, 6);
}

TEST_F(SshExec, ASingleSessionServesOneAfterTheOther) {
  connect({.config = {"MaxSessions 1"}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run_line(*transport_, "echo x").out, "x\n");
}

TEST_F(SshExec, AStopWhileQueuedGivesUpTheQueue) {
  connect({.config = {"MaxSessions 1"}});
  auto first = transport_->start(Command{"read line"});
  ASSERT_TRUE(first.ok());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  auto second = transport_->start(Command{"echo never"}, stop.get_token());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kInterrupted);
  ASSERT_TRUE((*first)->close_stdin().ok());
  ASSERT_TRUE((*first)->wait().ok());
  EXPECT_EQ(run_line(*transport_, "echo again").out, "again\n");
}

TEST_F(SshExec, WhereOneSessionIsAllACommandBesideAnotherHasAConnectionOfItsOwn) {
  connect({.config = {"MaxSessions 1"}});
  auto first = transport_->start(Command{"read line; echo $SSH_CONNECTION"});
  ASSERT_TRUE(first.ok());
  std::set<std::string> connections;
  for (int i = 0; i < 5; ++i) connections.insert(run_line(*transport_, "echo $SSH_CONNECTION").out);
  EXPECT_EQ(connections.size(), 1U);
  ASSERT_TRUE((*first)->write("on\n").ok());
  const auto chunk = (*first)->read();
  ASSERT_TRUE(chunk.ok() && *chunk);
  EXPECT_FALSE(connections.contains((*chunk)->bytes));
}

TEST_F(SshExec, NobodyWaitsForCommandsThatLastAsLongAsTheConnection) {
  connect({.config = {"MaxSessions 2"}});
  Command lasting{"read line"};
  lasting.claim = Claim::kStays;
  auto first = transport_->start(lasting);
  ASSERT_TRUE(first.ok());
  auto second = transport_->start(lasting);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(run_line(*transport_, "echo here").out, "here\n");
}

TEST_F(SshExec, WhatIsUrgentWaitsNeitherForCommandsNorInTheirQueue) {
  for (const std::size_t room : {1U, 2U, 8U}) {
    connect({.config = {room == 8 ? "MaxSessions 10" : "MaxSessions " + std::to_string(room)}});
    std::vector<std::unique_ptr<Process>> running;
    while (running.size() < room) {
      auto process = transport_->start(Command{"exec sleep 60"});
      ASSERT_TRUE(process.ok());
      running.push_back(std::move(*process));
    }
    std::stop_source stop;
    std::jthread waits;
    if (room > 1) {  // with one session a connection nothing waits
      waits = std::jthread([&] { EXPECT_FALSE(transport_->start(Command{"echo never"}, stop.get_token()).ok()); });
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(run_urgent("echo now"), "now\n") << room;
    stop.request_stop();
  }
}

TEST_F(SshExec, ADroppedProcessFreesItsChannel) {
  connect();
  for (int i = 0; i < 12; ++i) {
    auto process = transport_->start(Command{"cat"});
    ASSERT_TRUE(process.ok());
    ASSERT_TRUE((*process)->write("x").ok());
  }
  EXPECT_EQ(run_line(*transport_, "echo x").out, "x\n");
}

}  // namespace
}  // namespace otto::transport
