#include "cli/render/report_text.h"

#include "cli/render/reasons_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportText, BuildOnATerminal) {
  expect_golden("build_terminal.txt", render_build(std::vector{samples::partly_failed()}, {}, kTerminal));
}

TEST(ReportText, BuildOnAPipeHasFullTagsAndNoColour) {
  const std::string text = render_build(std::vector{samples::partly_failed()}, {}, kPipe);
  EXPECT_THAT(text, HasSubstr("veggies-base:" + samples::kHashA));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  expect_golden("build_pipe.txt", text);
}

TEST(ReportText, PermissionBitsAloneHintAtTheUmask) {
  std::vector<graph::Reason> reasons = {{graph::ReasonKind::kModeChanged, "a", "0644 → 0600"},
                                        {graph::ReasonKind::kModeChanged, "b", "0644 → 0600"}};
  EXPECT_THAT(render_reasons(reasons, kPipe), HasSubstr("umask"));
  reasons.push_back({graph::ReasonKind::kFileChanged, "c", ""});
  EXPECT_THAT(render_reasons(reasons, kPipe), Not(HasSubstr("umask")));
}

TEST(ReportText, ExplainNamesEachReasonAndWhatWasChecked) {
  const std::string text = render_build(std::vector{samples::built()}, {.explain = true, .dry_run = false}, kPipe);
  EXPECT_THAT(text, HasSubstr("  ~ file-changed src/main.c\n"));
  EXPECT_THAT(text, HasSubstr("checked: Dockerfile, 812 files, 2 build args — nothing changed\n"));
  EXPECT_THAT(text, HasSubstr("sr\\nc/\\x1b[31m\xef\xbf\xbd.txt\n")) << "an odd name stays one harmless line";
  expect_golden("build_explain.txt", text);
}

TEST(ReportText, LongFileListsAreCutUnlessVerbose) {
  docker::BuildReport report = samples::built();
  report.images.resize(1);
  report.images[0].reasons = {{graph::ReasonKind::kDockerfileChanged, "", ""}};
  for (int i = 0; i < 32; ++i) {
    report.images[0].reasons.push_back({graph::ReasonKind::kFileAdded, "f" + std::to_string(i), ""});
  }
  const ReportView explain{.explain = true, .dry_run = false};
  const std::string cut = render_build(std::vector{report}, explain, kPipe);
  EXPECT_THAT(cut, HasSubstr("    dockerfile-changed\n"));
  EXPECT_THAT(cut, HasSubstr("file-added f9\n    … and 22 more\n"));
  EXPECT_THAT(cut, Not(HasSubstr("f10")));
  const std::string all = render_build(std::vector{report}, explain, {false, true, false, 1});
  EXPECT_THAT(all, HasSubstr("file-added f31\n"));
  EXPECT_THAT(all, Not(HasSubstr("more")));
}

TEST(ReportText, UpShowsImagesAndServices) {
  expect_golden("up_pipe.txt", render_up(std::vector{samples::up()}, {}, kPipe));
  expect_golden("up_terminal.txt", render_up(std::vector{samples::up()}, {}, kTerminal));
}

TEST(ReportText, UpWithNothingToDoIsOneLine) {
  EXPECT_EQ(render_up(std::vector{samples::up_to_date()}, {}, kTerminal),
            "veggies on pepper_seed: nothing to do (2 images, 3 services up to date)\n");
}

TEST(ReportText, AOneShotThatRanNowIsSomethingDone) {
  docker::UpReport report = samples::up_to_date();
  report.services[2].reason = "not created yet";
  EXPECT_THAT(render_up(std::vector{report}, {}, kPipe), HasSubstr("completed  pepper_seed.veggies.migrate"));
}

TEST(ReportText, DryRunInventsNoSuccess) {
  docker::UpReport report = samples::up();
  report.build.images[0].status = docker::ImageStatus::kStale;
  const std::string text = render_up(std::vector{report}, {.explain = false, .dry_run = true}, kPipe);
  EXPECT_THAT(text, HasSubstr("base  stale "));
  EXPECT_THAT(text, HasSubstr("would be recreated"));
  const std::string unknown =
      render_build(std::vector{samples::unreachable_dry_run()}, {.explain = false, .dry_run = true}, kPipe);
  EXPECT_THAT(unknown, HasSubstr("could not be asked"));
  EXPECT_THAT(unknown, HasSubstr("unknown"));
}

TEST(ReportText, SeveralParentsAreNamed) {
  docker::UpReport other = samples::up();
  other.build.parent = "carrot_seed";
  const std::string text = render_up(std::vector{samples::up(), other}, {}, kPipe);
  EXPECT_THAT(text, HasSubstr("veggies on pepper_seed\n"));
  EXPECT_THAT(text, HasSubstr("veggies on carrot_seed\n"));
}

TEST(ReportText, FailuresAreReadableBlocks) {
  EXPECT_EQ(render_failures(samples::built(), kPipe), "");
  expect_golden("failures.txt", render_failures(samples::partly_failed(), kPipe));
  EXPECT_THAT(render_failures(samples::unreachable_dry_run(), kPipe), HasSubstr("could not be reached"));
}

TEST(ReportText, Down) {
  docker::DownReport report;
  report.parent = "pepper_seed";
  report.repo = "veggies";
  EXPECT_EQ(render_down(std::vector{report}, {}, kPipe), "veggies on pepper_seed: nothing to do (no containers)\n");
  report.removed = {"pepper_seed.veggies.api", "pepper_seed.veggies.db"};
  EXPECT_EQ(render_down(std::vector{report}, {}, kPipe),
            "pepper_seed.veggies.api  removed\npepper_seed.veggies.db   removed\n");
}

TEST(ReportText, QuietPrintsTheTagsThatExist) {
  EXPECT_EQ(render_tags(std::vector{samples::partly_failed()}, false),
            "veggies-base:" + samples::kHashA + "\nveggies-api:" + samples::kHashB + "\n");
}

}  // namespace
}  // namespace otto::cli
