// Local programs: argv as given, outputs apart, limits kept, nothing leaked to them; waiting and small files.
#include "transport/os/subprocess.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <thread>

#include "graph/base/whole_file.h"
#include "tests/support/temp_tree.h"
#include "transport/ssh/key_file.h"

namespace otto::transport {
namespace {

TEST(Subprocess, ArgvArrivesUnchanged) {
  const auto output = run_and_collect({"printf", "%s|", "a b", "$(id)", "*", ""}, {}, {});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "a b|$(id)|*||");
  EXPECT_EQ(output->wait_status, 0);
}

TEST(Subprocess, BothOutputsAndTheStatus) {
  const auto output = run_and_collect({"sh", "-c", "echo o; echo e >&2; exit 4"}, {}, {});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "o\n");
  EXPECT_EQ(output->err, "e\n");
  EXPECT_EQ(WEXITSTATUS(output->wait_status), 4);
}

TEST(Subprocess, ALimitAndAStopEndIt) {
  const auto late = run_and_collect({"sleep", "60"}, Clock::now() + std::chrono::milliseconds(20), {});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kTimedOut);
  EXPECT_NE(late.error().message.find("sleep 60"), std::string::npos);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto stopped = run_and_collect({"sleep", "60"}, {}, stop.get_token());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
}

TEST(Subprocess, AMissingProgramIsNamed) {
  const auto child = spawn({.argv = {"no-such-program-at-all"}});
  ASSERT_FALSE(child.ok());
  EXPECT_NE(child.error().message.find("'no-such-program-at-all': No such file"), std::string::npos);
  EXPECT_TRUE(find_program("sh").value_or("").ends_with("/sh"));
  EXPECT_EQ(find_program("no-such-program-at-all"), std::nullopt);
}

TEST(Subprocess, InheritsNothingOfOurs) {
  const auto open_there = [] { return run_and_collect({"sh", "-c", "ls /proc/self/fd | wc -l"}, {}, {})->out; };
  const std::string before = open_there();
  const auto ends = make_socket_pair();
  const auto pipe = make_pipe();
  const Wakeup wakeup;
  ASSERT_TRUE(ends.ok() && pipe.ok());
  EXPECT_EQ(open_there(), before);
}

TEST(Fd, WaitingEndsForEveryReason) {
  const auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  const int reader = pipe->first.get();
  EXPECT_EQ(wait_for_fd(reader, POLLIN, Clock::now() + std::chrono::milliseconds(5), {}), Ready::kTimedOut);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(wait_for_fd(reader, POLLIN, {}, stop.get_token()), Ready::kStopped);
  EXPECT_EQ(wait_for_fd(pipe->second.get(), POLLOUT, {}, {}), Ready::kReady);
  const Wakeup wakeup;
  wakeup.notify();
  EXPECT_EQ(wait_for_fd(wakeup.fd(), POLLIN, {}, {}), Ready::kReady);
  wakeup.drain();
  EXPECT_EQ(wait_for_fd(wakeup.fd(), POLLIN, Clock::now(), {}), Ready::kTimedOut);
}

TEST(Fd, SmallFiles) {
  testing::TempTree tree;
  tree.write("f", std::string(40000, 'x'));
  EXPECT_EQ(read_small_file(tree.path("f"))->size(), 40000U);
  const auto missing = read_small_file(tree.path("g"));
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
}

TEST(KeyFile, IsRecognisedWithoutBeingOpened) {
  testing::TempTree tree;
  const auto made = [&](const std::string& name, const std::string& type, const std::string& passphrase) {
    const std::string path = tree.path(name).string();
    const auto made_key =
        run_and_collect({"ssh-keygen", "-q", "-t", type, "-a", "1", "-N", passphrase, "-f", path}, {}, {});
    EXPECT_TRUE(made_key.ok());
    return path;
  };
  const KeyFile plain = inspect_key_file(made("plain", "ed25519", ""));
  EXPECT_EQ(plain.state, KeyFileState::kUsable);
  EXPECT_FALSE(plain.encrypted);
  ASSERT_TRUE(plain.public_blob.has_value());
  EXPECT_NE(plain.public_blob->find("ssh-ed25519"), std::string::npos);
  EXPECT_TRUE(inspect_key_file(made("locked", "ed25519", "secret")).encrypted);
  EXPECT_EQ(inspect_key_file(tree.path("missing")).state, KeyFileState::kMissing);
  EXPECT_EQ(inspect_key_file(tree.path("plain.pub")).state, KeyFileState::kNotAKey);
  tree.chmod("plain", 0640);
  EXPECT_EQ(inspect_key_file(tree.path("plain")).state, KeyFileState::kTooOpen);
  tree.write("pem", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", 0600);
  EXPECT_TRUE(inspect_key_file(tree.path("pem")).encrypted);
}

}  // namespace
}  // namespace otto::transport
