// Terminals, the same on this machine and over a real sshd: size, settings, keys, log-in shells, hang-up; and jobs on
// them.
#include <signal.h>
#include <termios.h>

#include <fstream>
#include <thread>

#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/local/local_transport.h"
#include "transport/os/terminal_modes.h"
#include "transport/remote.h"

namespace otto::transport {
namespace {

constexpr std::chrono::seconds kPatience{20};

/// Reads until `wanted` has been shown; all that was.
std::string read_until(Process& process, const std::string& wanted) {
  std::string shown;
  while (shown.find(wanted) == std::string::npos) {
    auto chunk = process.read(kPatience);
    if (!chunk || !*chunk) {
      ADD_FAILURE() << "'" << wanted << "' does not come: " << shown;
      break;
    }
    shown += (*chunk)->bytes;
  }
  return shown;
}

bool has_ended(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

bool ends(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!has_ended(pid) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return has_ended(pid);
}

termios settings_of_a_terminal() {
  termios settings{};
  settings.c_iflag = ICRNL | IXON;
  settings.c_oflag = OPOST | ONLCR;
  settings.c_lflag = ICANON | ECHO | ISIG;
  settings.c_cc[VERASE] = 0x08;
  settings.c_cc[VINTR] = 0x03;
  settings.c_cc[VKILL] = _POSIX_VDISABLE;
  return settings;
}

TEST(TerminalModes, ComeBackAsTheyWere) {
  const termios sent = settings_of_a_terminal();
  termios got{};
  got.c_lflag = TOSTOP;
  got.c_cflag = CS8;
  apply_modes(encode_modes(sent), got);
  EXPECT_EQ(got.c_iflag, sent.c_iflag);
  EXPECT_EQ(got.c_oflag, sent.c_oflag);
  EXPECT_EQ(got.c_lflag, sent.c_lflag);
  EXPECT_EQ(got.c_cflag, static_cast<tcflag_t>(CS8));
  EXPECT_EQ(got.c_cc[VERASE], 0x08);
  EXPECT_EQ(got.c_cc[VKILL], _POSIX_VDISABLE);
}

TEST(TerminalModes, FitIntoLibssh2sRequest) { EXPECT_LE(encode_modes(termios{}).size() + 64, 256U); }

TEST(TerminalModes, WhatIsCutOrUnknownIsPassedBy) {
  termios settings = settings_of_a_terminal();
  const std::string modes = encode_modes(settings);
  apply_modes(std::string_view(modes).substr(0, 7), settings);
  apply_modes(std::string("\x7f\0\0\0\x01\x35\0\0\0\0\xa0\0\0\0\0\x33\0\0\0\0", 20), settings);
  EXPECT_EQ(settings.c_lflag & ECHO, 0U);  // 53, between an unknown one and one that ends the list
  EXPECT_NE(settings.c_lflag & ICANON, 0U);
}

class OnTerminal : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      sshd_ = std::make_unique<testing::SshdFixture>();
      transport_ = testing::connect_or_fail(Route{{}, sshd_->address()});
    } else {
      transport_ = std::make_unique<LocalTransport>("here", "/bin/sh");
    }
    ASSERT_NE(transport_, nullptr);
  }
  std::unique_ptr<Process> begin(std::string line, PtyRequest pty = {}) {
    auto process = transport_->start(Command{std::move(line), std::move(pty), Claim::kStays});
    if (!process.ok()) ADD_FAILURE() << process.error().message;
    return process.ok() ? std::move(*process) : nullptr;
  }
  Remote remote() { return Remote(std::move(transport_)); }

  std::unique_ptr<testing::SshdFixture> sshd_;
  std::unique_ptr<Transport> transport_;
};

TEST_P(OnTerminal, SizeTermAndExitCode) {
  const auto process =
      begin("trap 'stty size; exit 7' WINCH; echo $TERM; stty size; while :; do sleep 0.1; done", {"vt100", 101, 33});
  EXPECT_NE(read_until(*process, "33 101").find("vt100"), std::string::npos);
  ASSERT_TRUE(process->resize(111, 44).ok());
  read_until(*process, "44 111");
  EXPECT_EQ(process->wait()->code, 7);
}

TEST_P(OnTerminal, ControlCInterruptsWhatRuns) {
  const auto process = begin("trap 'echo caught; exit 3' INT; echo begun; while :; do sleep 0.1; done");
  read_until(*process, "begun");
  ASSERT_TRUE(process->write("\x03").ok());
  read_until(*process, "caught");
  EXPECT_EQ(process->wait()->code, 3);
}

TEST_P(OnTerminal, TheLogInShellTakesLinesAndSettings) {
  PtyRequest pty;
  pty.modes = encode_modes(settings_of_a_terminal());
  const auto process = begin("", pty);
  ASSERT_TRUE(process->write("case $0 in -*) echo a log\"\"in shell;; esac; stty -a | grep -o 'erase = ..'\r").ok());
  const std::string shown = read_until(*process, "erase = ^H");
  EXPECT_NE(shown.find("a login shell\r\n"), std::string::npos) << shown;
  ASSERT_TRUE(process->write("exit 5\r").ok());
  EXPECT_EQ(process->wait()->code, 5);
}

TEST_P(OnTerminal, WhatRunsIsHungUpWithItsProcess) {
  auto process = begin("echo pid=$$=; sleep 60");
  const std::string shown = read_until(*process, "=\r\n");
  const pid_t pid = std::stoi(shown.substr(shown.find('=') + 1));
  ASSERT_EQ(::kill(pid, 0), 0);
  process.reset();
  EXPECT_TRUE(ends(pid));
}

TEST_P(OnTerminal, AJobBeginsSilentlyAndKeepsItsArguments) {
  Remote remote = this->remote();
  TerminalScript script;
  script.text = "stty sane; printf '%s|' \"$@\"; read -r line; echo \"got $line\"; exit 4\n" + std::string(6000, '#');
  script.args = {"a b", "it's\n"};
  auto process = remote.start_on_terminal(script);
  ASSERT_TRUE(process.ok()) << process.error().message;
  std::string shown = read_until(**process, "'s\r\n|");
  EXPECT_TRUE(shown.starts_with("a b|it's\r\n|")) << shown;
  ASSERT_TRUE((*process)->write("typed\r").ok());
  shown = read_until(**process, "got typed\r\n");
  EXPECT_EQ((*process)->wait()->code, 4);
}

TEST_P(OnTerminal, AJobThatDefiesTheHangUpIsEnded) {
  Remote remote = this->remote();
  TerminalScript script;
  script.text = "trap '' HUP; echo pid=$$=; while :; do sleep 0.1; done";
  auto process = remote.start_on_terminal(script);
  ASSERT_TRUE(process.ok()) << process.error().message;
  const std::string shown = read_until(**process, "=\n");
  const pid_t pid = std::stoi(shown.substr(shown.find('=') + 1));
  process->reset();
  EXPECT_TRUE(ends(pid));
}

INSTANTIATE_TEST_SUITE_P(Hosts, OnTerminal, ::testing::Bool(),
                         [](const auto& param) { return std::string(param.param ? "Ssh" : "Local"); });

}  // namespace
}  // namespace otto::transport
