// The dialogue with everything that greets: telnetds, switches, shells without a log-in.
#include "transport/telnet/telnet_login.h"

#include <gtest/gtest.h>

#include "transport/telnet/telnet_script.h"

namespace otto::transport {
namespace {

constexpr const char* kToken = "0123abcd";

class Login : public ::testing::Test {
 protected:
  /// What is done at the silence after these bytes.
  LoginStep after(std::string_view bytes) {
    const LoginStep step = dialogue_.heard(bytes);
    return step == LoginStep::kWait ? dialogue_.silent() : step;
  }
  LoginDialogue dialogue_{telnet_probe_answer(kToken)};
};

TEST_F(Login, ADebianTelnetd) {
  EXPECT_EQ(after("Debian GNU/Linux 12\r\n"), LoginStep::kWait);
  EXPECT_EQ(after("\r\nbean_old login: "), LoginStep::kTypeUser);
  EXPECT_EQ(after("otto\r\nPassword: "), LoginStep::kTypePassword);
  EXPECT_EQ(after("\r\nLast login: Tue Nov 24 10:00:00 UTC 2026 on pts/0\r\nWelcome!\r\n"), LoginStep::kWait);
  EXPECT_EQ(after("otto@bean_old:~$ "), LoginStep::kTypeProbe);
  EXPECT_EQ(after(telnet_probe(kToken)), LoginStep::kWait) << "its echo is no answer";
  EXPECT_EQ(after("\r\notto-0123abcd;"), LoginStep::kReady);
}

TEST_F(Login, PromptsInSpellings) {
  for (const char* user :
       {"login: ", "Username:", "User Name: ", "user: ", "host login:", "Login>", "User (admin): "}) {
    LoginDialogue dialogue("answer");
    dialogue.heard(user);
    EXPECT_EQ(dialogue.silent(), LoginStep::kTypeUser) << user;
    for (const char* password :
         {"Password: ", "password for otto:", "Passcode: ", "Enter pass phrase: ", "\x1b[1mPassword:\x1b[0m "}) {
      LoginDialogue next = dialogue;
      next.heard(std::string("otto\r\n") + password);
      EXPECT_EQ(next.silent(), LoginStep::kTypePassword) << password;
    }
  }
}

TEST_F(Login, APromptIsJudgedWhenItIsWhole) {
  EXPECT_EQ(dialogue_.heard("Last login:"), LoginStep::kWait);
  EXPECT_EQ(dialogue_.silent(), LoginStep::kWait) << "also where the network pauses within it";
  EXPECT_EQ(dialogue_.heard(" Tue\r\n"), LoginStep::kWait);
}

TEST_F(Login, Refusals) {
  ASSERT_EQ(after("login: "), LoginStep::kTypeUser);
  ASSERT_EQ(after("otto\r\nPassword: "), LoginStep::kTypePassword);
  EXPECT_EQ(after("\r\nLogin incorrect\r\nbean_old login: "), LoginStep::kRefused);
  EXPECT_EQ(dialogue_.said(), "Login incorrect");
  LoginDialogue again("answer");
  for (const char* said : {"login: ", "x\r\nPassword: "}) {
    again.heard(said);
    EXPECT_NE(again.silent(), LoginStep::kRefused);
  }
  again.heard("\r\nPassword: ");
  EXPECT_EQ(again.silent(), LoginStep::kRefused) << "asked twice";
}

TEST_F(Login, AShellWithoutLogInOrPrompt) {
  int silences = 1;
  while (dialogue_.silent() == LoginStep::kWait) ++silences;
  EXPECT_LT(silences, 30);
  EXPECT_FALSE(dialogue_.asked());
  EXPECT_EQ(after("x\r\notto-0123abcd;"), LoginStep::kReady);
}

TEST_F(Login, WhatWasTypedTooEarlyIsTypedAgain) {
  ASSERT_EQ(after("# "), LoginStep::kTypeProbe);
  EXPECT_EQ(after("# "), LoginStep::kWait) << "not at once: the shell may be slow";
  int silences = 1;
  while (dialogue_.silent() == LoginStep::kWait) ++silences;
  EXPECT_GT(silences, 5);
}

}  // namespace
}  // namespace otto::transport
