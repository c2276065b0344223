// What is concluded from the steps of a connection, and from what a machine answers.
#include "engine/doctor/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/doctor/machine_checks.h"
#include "tests/support/temp_tree.h"
#include "transport/local/local_transport.h"

namespace otto::doctor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using transport::ConnectStage;
using transport::ConnectStep;
using transport::Protocol;

/// "step[@subject]=status" of each.
std::vector<std::string> outline(const std::vector<Check>& checks) {
  std::vector<std::string> lines;
  for (const Check& check : checks) {
    lines.push_back(check.step + (check.subject.empty() ? "" : "@" + check.subject) + "=" +
                    std::string(check_status_name(check.status)));
  }
  return lines;
}

const std::vector<ConnectStep> kResolved = {{"gate", ConnectStage::kResolved, "otto@gate:22"},
                                            {"pepper", ConnectStage::kResolved, "otto@10.0.0.7:22"}};

std::vector<ConnectStep> after(std::vector<ConnectStep> more) {
  std::vector<ConnectStep> steps = kResolved;
  steps.insert(steps.end(), more.begin(), more.end());
  return steps;
}

TEST(ConnectionChecks, AllTheWay) {
  const auto checks = connection_checks("pepper", Protocol::kSsh,
                                        after({{"gate", ConnectStage::kConnected, "reached"},
                                               {"gate", ConnectStage::kHostKey, "known"},
                                               {"gate", ConnectStage::kLoggedIn, "by key"},
                                               {"pepper", ConnectStage::kConnected, "reached"},
                                               {"pepper", ConnectStage::kHostKey, "new"},
                                               {"pepper", ConnectStage::kLoggedIn, "by password"}}),
                                        std::nullopt);
  EXPECT_THAT(outline(checks), ElementsAre("route=ok", "connect@gate=ok", "host-key@gate=ok", "log-in@gate=ok",
                                           "connect=ok", "host-key=ok", "log-in=ok"));
  EXPECT_EQ(checks[0].detail, "otto@gate:22 -> otto@10.0.0.7:22");
  EXPECT_EQ(checks[5].detail, "new");
}

TEST(ConnectionChecks, TheFirstStepThatIsMissingIsTheOneThatFailed) {
  const Error refused = make_error(ErrorCode::kAuthFailed, "refused", "add the key");
  const auto checks = connection_checks(
      "pepper", Protocol::kSsh,
      after({{"gate", ConnectStage::kConnected, "reached"}, {"gate", ConnectStage::kHostKey, "known"}}), refused);
  EXPECT_THAT(outline(checks), ElementsAre("route=ok", "connect@gate=ok", "host-key@gate=ok", "log-in@gate=failed",
                                           "connect=skipped", "host-key=skipped", "log-in=skipped"));
  EXPECT_EQ(checks[3].detail, "refused");
  EXPECT_EQ(checks[3].hint, "add the key");
  EXPECT_EQ(checks[3].code, ErrorCode::kAuthFailed);
  EXPECT_EQ(first_failure(checks), &checks[3]);
}

TEST(ConnectionChecks, ARouteThatIsNone) {
  const auto checks =
      connection_checks("pepper", Protocol::kSsh, {}, make_error(ErrorCode::kConfig, "hops lead in a circle"));
  EXPECT_THAT(outline(checks), ElementsAre("route=failed", "connect=skipped", "host-key=skipped", "log-in=skipped"));
}

TEST(ConnectionChecks, TelnetHasNoHostKeyAndALocalHostNoConnection) {
  const Error refused = make_error(ErrorCode::kAuthFailed, "refused");
  const auto telnet =
      connection_checks("pepper", Protocol::kTelnet,
                        {{"pepper", ConnectStage::kResolved, ""}, {"pepper", ConnectStage::kConnected, ""}}, refused);
  EXPECT_THAT(outline(telnet), ElementsAre("route=ok", "connect=ok", "log-in=failed"));
  const auto local =
      connection_checks("local", Protocol::kLocal, {{"local", ConnectStage::kResolved, "this machine"}}, std::nullopt);
  EXPECT_THAT(outline(local), ElementsAre("route=ok"));
}

transport::Output shell_answer(const std::string& now, const std::string& noise = "") {
  transport::Output output;
  output.out = "shell\t/bin/zsh\nsystem\tLinux 6.1\nuser\totto\nnow\t" + now + "\n";
  output.noise = noise;
  return output;
}

TEST(JudgeShell, QuietAndOnTime) {
  const auto checks = judge_shell("pepper", shell_answer("1010"), {1000, 1001});
  EXPECT_THAT(outline(checks), ElementsAre("shell=ok", "clock=ok"));
  EXPECT_EQ(checks[0].detail, "/bin/zsh of otto on Linux 6.1");
}

TEST(JudgeShell, NoiseIsShownMadeHarmless) {
  const auto checks =
      judge_shell("pepper", shell_answer("1000", "Hello\n\x1b[31m" + std::string(300, 'x')), {1000, 1001});
  EXPECT_EQ(checks[0].status, CheckStatus::kWarning);
  EXPECT_THAT(checks[0].detail, HasSubstr("print 311 bytes before a command: Hello \\x1b[31mxxx"));
  EXPECT_LT(checks[0].detail.size(), 200U);
  EXPECT_EQ(checks[0].detail.find('\n'), std::string::npos);
}

TEST(JudgeShell, ClocksApart) {
  EXPECT_THAT(judge_shell("p", shell_answer("940"), {1000, 1002})[1].detail, HasSubstr("60 s behind"));
  EXPECT_THAT(judge_shell("p", shell_answer("1102"), {1000, 1002})[1].detail, HasSubstr("100 s before"));
  EXPECT_EQ(judge_shell("p", shell_answer("1032"), {1000, 1002})[1].status, CheckStatus::kOk);
  EXPECT_EQ(judge_shell("p", shell_answer(""), {1000, 1002})[1].status, CheckStatus::kWarning);
}

TEST(JudgeShell, AnAccountWithoutAShell) {
  transport::Output output;
  output.status.code = 1;
  output.out = "This account is currently not available.\n";
  const auto checks = judge_shell("pepper", output, {});
  EXPECT_THAT(outline(checks), ElementsAre("shell=failed", "clock=skipped"));
  EXPECT_THAT(checks[0].detail, HasSubstr("This account is currently not available."));
  EXPECT_THAT(checks[0].hint, HasSubstr("chsh"));
}

TEST(JudgeMachine, MissingToolsAndAnUnwritableStage) {
  const auto checks = judge_machine(
      "pepper", parse_answers("missing\tflock\nmissing\tGNU find\nunwritable\tsh: 1: cannot create\nstage\t/s\n"),
      true);
  EXPECT_THAT(outline(checks), ElementsAre("tools=failed", "stage=failed"));
  EXPECT_THAT(checks[0].detail, HasSubstr("lacks flock, GNU find"));
  EXPECT_THAT(checks[1].detail, HasSubstr("/s cannot be written to: sh: 1: cannot create"));
  EXPECT_THAT(outline(judge_machine("pepper", {}, false)), ElementsAre("tools=ok"));
}

TEST(JudgeParent, ScarceSpaceAndTheOldPlugins) {
  parent::ParentFacts facts;
  facts.compose_version = "1.29.2";
  facts.compose_standalone = true;
  auto checks = judge_parent("pepper", facts,
                             parse_answers("root\t/var/lib/docker\nroot_free\tAvailable\nroot_free\t1048575\n"), true);
  EXPECT_THAT(outline(checks), ElementsAre("buildx=warning", "compose=ok", "space=warning"));
  EXPECT_EQ(checks[1].detail, "1.29.2, as docker-compose");
  EXPECT_THAT(checks[2].detail, HasSubstr("/var/lib/docker, 1.1 GB free"));
  facts.compose_version.clear();
  EXPECT_THAT(outline(judge_parent("pepper", facts, {}, true)),
              ElementsAre("buildx=warning", "compose=failed", "space=ok"));
  EXPECT_EQ(judge_parent("pepper", facts, {}, false)[1].status, CheckStatus::kOk);
}

/// The script itself, in this machine's sh.
class MachineScript : public ::testing::Test {
 protected:
  std::vector<Check> run(const parent::ParentSettings& settings, const std::string& before = "") {
    transport::Remote remote(std::make_unique<transport::LocalTransport>("here", "/bin/sh"));
    const auto output = remote.run({.text = before + machine_script(true, settings)});
    if (!output || !output->status.success()) return {};
    return judge_machine("here", parse_answers(output->out), true);
  }
  testing::TempTree tree;
};

TEST_F(MachineScript, LeavesNothingBehindInAStageFolderThatIsNotThereYet) {
  const auto checks = run({.stage_dir = (tree.root() / "not yet/there").string()});
  EXPECT_THAT(outline(checks), ElementsAre("tools=ok", "stage=ok"));
  EXPECT_THAT(checks[1].detail, HasSubstr("/not yet/there/otto-stages, "));
  EXPECT_THAT(checks[1].detail, HasSubstr(" free"));
  EXPECT_TRUE(std::filesystem::is_empty(tree.root()));
}

TEST_F(MachineScript, AFileInTheWayCannotBeWrittenInto) {
  tree.write("stage", "");
  const auto checks = run({.stage_dir = tree.path("stage").string()});
  EXPECT_THAT(outline(checks), ElementsAre("tools=ok", "stage=failed"));
}

TEST_F(MachineScript, ToolsThatAreNotOnThePath) {
  const auto checks = run({}, "command() { case $2 in flock | tar) return 1 ;; esac; }\n");
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_THAT(checks[0].detail, HasSubstr("lacks tar, flock"));
}

}  // namespace
}  // namespace otto::doctor
