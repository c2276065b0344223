#include "cli/command_line/exit_code.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "cli/verbs/outcome.h"
#include "tests/cli/samples.h"

namespace otto::cli {
namespace {

TEST(ExitCode, OfEveryErrorAsTheInterfaceSays) {
  const std::map<ErrorCode, int> expected = {{ErrorCode::kUsage, 2},         {ErrorCode::kConfig, 2},
                                             {ErrorCode::kUnknownName, 2},   {ErrorCode::kUnreachable, 3},
                                             {ErrorCode::kAuthFailed, 3},    {ErrorCode::kHostKey, 3},
                                             {ErrorCode::kTimedOut, 3},      {ErrorCode::kConnectionLost, 1},
                                             {ErrorCode::kRemoteFailed, 1},  {ErrorCode::kDockerMissing, 1},
                                             {ErrorCode::kDockerDenied, 1},  {ErrorCode::kBuildFailed, 1},
                                             {ErrorCode::kComposeFailed, 1}, {ErrorCode::kNotRunning, 1},
                                             {ErrorCode::kInputsChanged, 1}, {ErrorCode::kIo, 1},
                                             {ErrorCode::kDatabase, 1},      {ErrorCode::kUnsupported, 1},
                                             {ErrorCode::kInterrupted, 130}};
  EXPECT_EQ(expected.size(), static_cast<std::size_t>(ErrorCode::kInterrupted) + 1) << "a code is missing here";
  for (const auto& [code, exit] : expected) EXPECT_EQ(exit_code(code), exit) << error_code_name(code);
}

TEST(ExitCode, OfARemoteCommandKnowsTheLostConnection) {
  EXPECT_EQ(exit_code_of_remote_command(ErrorCode::kConnectionLost), 255);
  EXPECT_EQ(exit_code_of_remote_command(ErrorCode::kUnreachable), 3);
  EXPECT_EQ(exit_code_of_remote_command(ErrorCode::kInterrupted), 130);
  EXPECT_EQ(exit_code_of_remote_command(ErrorCode::kNotRunning), 1);
}

TEST(ExitCode, OfPartsNeedsASuccessForFour) {
  using Codes = std::vector<ErrorCode>;
  EXPECT_EQ(exit_code_of_parts(0, Codes{}), 0);
  EXPECT_EQ(exit_code_of_parts(3, Codes{}), 0);
  EXPECT_EQ(exit_code_of_parts(1, Codes{ErrorCode::kBuildFailed}), 4);
  EXPECT_EQ(exit_code_of_parts(0, Codes{ErrorCode::kBuildFailed}), 1);
  EXPECT_EQ(exit_code_of_parts(0, (Codes{ErrorCode::kUnreachable, ErrorCode::kAuthFailed})), 3);
  EXPECT_EQ(exit_code_of_parts(0, (Codes{ErrorCode::kUnreachable, ErrorCode::kBuildFailed})), 1);
  EXPECT_EQ(exit_code_of_parts(1, (Codes{ErrorCode::kInterrupted, ErrorCode::kBuildFailed})), 130);
}

int outcome(std::vector<docker::BuildReport> reports) {
  Outcome all;
  for (const docker::BuildReport& report : reports) all.add(report);
  return all.exit_code();
}

docker::BuildReport report(std::vector<docker::ImageStatus> statuses) {
  docker::BuildReport made;
  for (const auto status : statuses) made.images.push_back(samples::image("i", status, samples::kHashA));
  return made;
}

TEST(Outcome, CountsWhatThisCommandAchieved) {
  using enum docker::ImageStatus;
  EXPECT_EQ(outcome({}), 0);
  EXPECT_EQ(outcome({report({kCached, kCached})}), 0);
  EXPECT_EQ(outcome({report({kBuilt, kFailed})}), 4);
  EXPECT_EQ(outcome({report({kFailed, kSkipped})}), 1);
  EXPECT_EQ(outcome({report({kCached, kFailed})}), 1) << "an edit that breaks one image did nothing";
  EXPECT_EQ(outcome({report({kCached}), report({kFailed})}), 4) << "one parent is as wanted";
  EXPECT_EQ(outcome({report({kStale, kUnknown})}), 0) << "a dry run";
  EXPECT_EQ(outcome({samples::unreachable_dry_run()}), 3);
}

}  // namespace
}  // namespace otto::cli
