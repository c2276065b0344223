#include "cli/render/list_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/errors.h"
#include "cli/render/layout.h"
#include "cli/render/times.h"
#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

constexpr std::int64_t kSeen = 1'795'359'845'000;

TEST(ListText, Hosts) {
  expect_golden("hosts_pipe.txt", render_hosts(samples::hosts(), kSeen + 180'000, kPipe));
  expect_golden("hosts_terminal.txt", render_hosts(samples::hosts(), kSeen + 180'000, kTerminal));
}

TEST(ListText, Ps) {
  expect_golden("ps_pipe.txt", render_ps(samples::containers(), kPipe));
  expect_golden("ps_terminal.txt", render_ps(samples::containers(), kTerminal));
  Style verbose = kPipe;
  verbose.verbose = 1;
  EXPECT_NE(render_ps(samples::containers(), verbose).find("c0ffee0123456789 "), std::string::npos);
}

TEST(ListText, ContextEndsInItsSum) {
  std::string all;
  render_context(samples::context(), kPipe, [&](std::string_view piece) { all += piece; });
  expect_golden("context.txt", all);
}

TEST(ListText, ContextOfNoFilesHasNoColumnForSizes) {
  docker::ContextListing listing = samples::context();
  listing.manifest.entries.erase(listing.manifest.entries.begin() + 2);
  listing.manifest.entries.erase(listing.manifest.entries.begin());
  std::string all;
  render_context(listing, kPipe, [&](std::string_view piece) { all += piece; });
  EXPECT_EQ(all.substr(0, all.find(", hash")), "0755  data/\n0777  run -> bin/run\n0 files, 0 B");
}

TEST(ListText, LabNamesItsMachines) {
  std::vector<HostListing> machines = samples::hosts();
  machines.resize(2);
  EXPECT_EQ(render_lab(machines, kPipe),
            "lab veggies: 2 machines\n  pepper_seed  unix   docker\n  local        local\n");
}

TEST(Times, RelativeAndAbsolute) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(kSeen), "2026-11-22T15:04:05Z");
  EXPECT_EQ(ago(kSeen, kSeen + 59'000), "just now");
  EXPECT_EQ(ago(kSeen, kSeen - 5'000), "just now");
  EXPECT_EQ(ago(kSeen, kSeen + 60'000), "1 minute ago");
  EXPECT_EQ(ago(kSeen, kSeen + 7'300'000), "2 hours ago");
  EXPECT_EQ(ago(kSeen, kSeen + 86'400'000LL * 800), "2 years ago");
}

TEST(Layout, WidthsOfWhatTerminalsShow) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("żółw"), 4U);
  EXPECT_EQ(display_width("漢字"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U) << "a combining accent";
}

TEST(Layout, CutsByColumnsNotBytes) {
  EXPECT_EQ(cut_to_width("漢字漢字", 5, kPipe), "漢字…");
  EXPECT_EQ(cut_to_width("漢字漢字", 8, kPipe), "漢字漢字");
  EXPECT_EQ(cut_to_width("abcdef", 4, {false, false, false, 0}), "a...");
  EXPECT_EQ(cut_to_width("abcdef", 0, kPipe), "");
}

TEST(Layout, NumbersAndNouns) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(0, "file"), "0 files");
}

TEST(Layout, TablesAlignAndLeaveNoTrailingBlanks) {
  EXPECT_EQ(table({}, {{{"a"}, {"bb"}, {""}}, {{"ccc"}, {""}, {"d"}}}, kPipe), "a    bb\nccc      d\n");
  EXPECT_EQ(table({}, {{{"1"}, {"5", Paint::kNone, true}}, {{"1"}, {"10", Paint::kNone, true}}}, kPipe),
            "1   5\n1  10\n");
}

TEST(Errors, MessageContextHint) {
  const Error error = make_error(ErrorCode::kConfig, "unknown key 'x'\nsecond line", "write 'y'")
                          .in("reading /r/settings.toml")
                          .in("while opening repo 'r'");
  EXPECT_EQ(render_error(error, kPipe),
            "otto: error: unknown key 'x'\n  second line\n  while opening repo 'r'\n  while reading /r/settings.toml\n"
            "  hint: write 'y'\n");
  EXPECT_EQ(render_error(make_error(ErrorCode::kConfig, "m", "h"), kTerminal),
            "otto: \x1b[31merror:\x1b[0m m\n  \x1b[1mhint:\x1b[0m h\n");
}

TEST(Errors, RemoteTextCannotDriveTheTerminal) {
  EXPECT_EQ(render_error(make_error(ErrorCode::kRemoteFailed, "said \x1b[2J\xff"), kPipe),
            "otto: error: said \\x1b[2J\xef\xbf\xbd\n");
}

}  // namespace
}  // namespace otto::cli
