#include "cli/render/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cli/render/progress_tty.h"
#include "tests/cli/golden.h"

namespace otto::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Time that moves when told, a screen of a given size, and what was written.
struct Stage {
  Millis now = 0;
  FrameSize size{60, 10};
  std::string written;

  ProgressSetup setup(ProgressMode mode, Style style = {false, true, false, 0}) {
    return {mode,
            style,
            "docker up",
            [this](std::string_view bytes) { written += bytes; },
            [this] { return now; },
            [this] { return size; }};
  }
  std::string taken() { return std::exchange(written, {}); }
};

Event phase(Phase phase, std::string subject, std::string detail = "", std::uint64_t done = 0,
            std::uint64_t total = 0) {
  return Event::in_phase(phase, std::move(subject), std::move(detail), done, total);
}
Event ended(Event::Kind kind, std::string subject, std::string detail, std::uint64_t elapsed) {
  return {kind, Phase::kBuilding, std::move(subject), std::move(detail), 0, 0, elapsed};
}
Event said(Event::Kind kind, std::string subject, std::string detail) {
  return {kind, Phase::kBuilding, std::move(subject), std::move(detail), 0, 0, 0};
}

/// Escapes spelled out, so that goldens can be read.
std::string visible(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c == '\x1b') {
      out += "<ESC>";
    } else if (c == '\r') {
      out += "<CR>";
    } else {
      out += c;
    }
  }
  return out;
}

std::string frame_text(const ProgressModel& model, Millis now, FrameSize size, const Style& style) {
  std::string out;
  for (const ScreenLine& line : draw_frame(model, "docker up", now, size, style)) out += line.bytes + "|\n";
  return out;
}

ProgressModel busy_model() {
  ProgressModel model;
  model.apply(phase(Phase::kUploading, "base", "", 0, 3'400'000), 0);
  model.apply(phase(Phase::kUploading, "base", "", 1'200'000, 3'400'000), 500);
  model.apply(phase(Phase::kBuilding, "api", "[2/4] RUN make -j4 all install and more of it"), 700);
  model.apply(phase(Phase::kWaiting, "db", "until db is healthy"), 900);
  model.apply(phase(Phase::kStarting, "漢字", "image changed"), 1000);
  return model;
}

TEST(ProgressFrame, Unicode) {
  expect_golden("frame_utf8.txt", frame_text(busy_model(), 1500, {60, 10}, {false, true, false, 0}));
}

TEST(ProgressFrame, Ascii) {
  expect_golden("frame_ascii.txt", frame_text(busy_model(), 1500, {60, 10}, {false, false, false, 0}));
}

TEST(ProgressFrame, NeverWiderOrHigherThanTheScreen) {
  for (const std::size_t columns : {1U, 5U, 12U, 20U, 40U, 200U}) {
    for (const std::size_t rows : {1U, 2U, 3U, 4U, 24U}) {
      const auto lines = draw_frame(busy_model(), "docker up", 1500, {columns, rows}, {false, true, false, 0});
      EXPECT_LE(lines.size(), std::max<std::size_t>(1, rows - 1));
      for (const ScreenLine& line : lines) EXPECT_LT(line.width, std::max<std::size_t>(columns, 4)) << columns;
    }
  }
}

TEST(ProgressFrame, WhatDoesNotFitIsCounted) {
  const std::string text = frame_text(busy_model(), 1500, {60, 4}, {false, true, false, 0});
  EXPECT_THAT(text, HasSubstr("… and 2 more"));
}

TEST(ProgressFrame, BeforeTheFirstEventThereIsTheTitle) {
  EXPECT_THAT(frame_text({}, 100, {60, 10}, {false, true, false, 0}), HasSubstr("docker up"));
}

TEST(ProgressFrame, ATallyStandsBesideTheTitle) {
  ProgressModel model = busy_model();
  model.apply(Event::tally(14, 30), 1200);
  expect_golden("frame_tally.txt", frame_text(model, 71'500, {60, 10}, {false, true, false, 0}));
  EXPECT_THAT(frame_text(model, 1500, {60, 4}, {false, true, false, 0}), HasSubstr("14 of 30"));
  ProgressModel one;
  one.apply(Event::tally(0, 1), 0);
  EXPECT_EQ(one.tally(), "") << "of one thing its own row tells";
}

TEST(ProgressModel, PreparationGoesWhenWorkBegins) {
  ProgressModel model;
  model.apply(phase(Phase::kConnecting, "pepper"), 0);
  model.apply(phase(Phase::kScanning, "api", "", 12'345, 1'000'000), 10);
  EXPECT_EQ(model.rows().size(), 2U);
  EXPECT_EQ(phase_text(model.rows()[1], 20), "scanning 12,345 files (1.0 MB read)");
  model.apply(phase(Phase::kUploading, "api"), 30);
  ASSERT_EQ(model.rows().size(), 1U);
  EXPECT_EQ(model.rows()[0].since, 10U) << "the subject's time goes on";
  model.apply(ended(Event::Kind::kDone, "api", "built", 1), 40);
  EXPECT_TRUE(model.rows().empty());
}

TEST(TtyProgress, ShortCommandsLeaveOnlyWhatStays) {
  Stage stage;
  TtyProgress progress(stage.setup(ProgressMode::kTty), TtyProgress::Ticks::kByCaller);
  progress.report(phase(Phase::kConnecting, "pepper"));
  stage.now = 80;
  progress.tick();
  EXPECT_EQ(stage.taken(), "");
  progress.report(said(Event::Kind::kWarning, "", "hosts.json is readable by others"));
  progress.finish();
  EXPECT_EQ(stage.taken(), "otto: warning: hosts.json is readable by others\n");
}

TEST(TtyProgress, TheFirstFrameComesWithinAHundredMilliseconds) {
  Stage stage;
  TtyProgress progress(stage.setup(ProgressMode::kTty), TtyProgress::Ticks::kByCaller);
  stage.now = 90;
  progress.tick();
  EXPECT_THAT(stage.taken(), HasSubstr("docker up"));
}

TEST(TtyProgress, AWholeStory) {
  Stage stage;
  std::string story;
  const auto step = [&](TtyProgress& progress, Millis now) {
    stage.now = now;
    progress.tick();
    story += visible(stage.taken()) + "\n-- " + std::to_string(now) + " ms\n";
  };
  {
    TtyProgress progress(stage.setup(ProgressMode::kTty, {true, true, false, 0}), TtyProgress::Ticks::kByCaller);
    progress.report(phase(Phase::kConnecting, "pepper"));
    step(progress, 100);
    progress.report(phase(Phase::kBuilding, "base", "[1/2] COPY"));
    progress.report(phase(Phase::kBuilding, "api", "[2/4] RUN make"));
    step(progress, 200);
    progress.report(ended(Event::Kind::kDone, "base", "built", 3200));
    progress.report(said(Event::Kind::kNotice, "", "the host key of pepper was recorded"));
    progress.report(said(Event::Kind::kOutput, "api", "not shown without -v"));
    step(progress, 300);
    progress.report(ended(Event::Kind::kFailed, "api", "exit 1", 900));
    stage.size.columns = 20;  // made narrower: the old block wraps
    step(progress, 400);
    progress.finish();
    story += visible(stage.taken());
  }
  EXPECT_EQ(stage.written, "") << "nothing after finish";
  EXPECT_FALSE(cursor_is_hidden());
  expect_golden("tty_story.txt", story);
}

TEST(TtyProgress, SuspendedNothingIsDrawnAndTheCursorIsBack) {
  Stage stage;
  TtyProgress progress(stage.setup(ProgressMode::kTty), TtyProgress::Ticks::kByCaller);
  stage.now = 100;
  progress.tick();
  EXPECT_TRUE(cursor_is_hidden());
  stage.taken();
  progress.suspend();
  EXPECT_EQ(visible(stage.taken()), "<CR><ESC>[J<ESC>[?25h");
  EXPECT_FALSE(cursor_is_hidden());
  progress.report(said(Event::Kind::kWarning, "", "careful"));
  progress.tick();
  EXPECT_EQ(stage.taken(), "otto: warning: careful\n");
  progress.resume();
  progress.tick();
  EXPECT_THAT(stage.taken(), HasSubstr("docker up"));
}

TEST(TtyProgress, TheCursorIsShownAgainWhenAnExceptionUnwinds) {
  Stage stage;
  try {
    TtyProgress progress(stage.setup(ProgressMode::kTty), TtyProgress::Ticks::kByCaller);
    stage.now = 100;
    progress.tick();
    throw 1;
  } catch (int) {
  }
  EXPECT_THAT(stage.written, ::testing::EndsWith(std::string(kShowCursor)));
}

TEST(TtyProgress, ItsOwnThreadEndsWithItUnderManyReporters) {
  Stage stage;
  stage.now = 1000;
  auto progress = make_progress(stage.setup(ProgressMode::kTty));
  std::vector<std::jthread> reporters;
  for (int i = 0; i < 4; ++i) {
    reporters.emplace_back([&progress, i] {
      for (int n = 0; n < 200; ++n) {
        progress->report(phase(Phase::kScanning, std::to_string(i), "", std::uint64_t(n)));
      }
      progress->report(ended(Event::Kind::kDone, std::to_string(i), "built", 5));
    });
  }
  reporters.clear();
  progress->finish();
  for (int i = 0; i < 4; ++i) EXPECT_THAT(stage.written, HasSubstr("✓ " + std::to_string(i) + " built (5 ms)\n"));
}

TEST(PlainProgress, OneLineAPhaseAndAnEnd) {
  Stage stage;
  const auto progress = make_progress(stage.setup(ProgressMode::kPlain));
  progress->report(phase(Phase::kConnecting, "pepper"));
  progress->report(phase(Phase::kUploading, "api", "", 0, 3'400'000));
  progress->report(phase(Phase::kUploading, "api", "", 9, 3'400'000));
  progress->report(phase(Phase::kBuilding, "api", "[1/2] COPY"));
  progress->report(phase(Phase::kBuilding, "api", "[2/2] RUN make"));
  progress->report(said(Event::Kind::kOutput, "api", "cc -c main.c"));
  progress->report(ended(Event::Kind::kDone, "base", "cached", 1));
  progress->report(ended(Event::Kind::kDone, "api", "built", 3200));
  progress->report(ended(Event::Kind::kFailed, "web", "exit 1", 40));
  EXPECT_EQ(stage.written,
            "pepper: connecting\napi: uploading\napi: building\napi: built (3.2 s)\nweb: failed (40 ms)\n");
}

TEST(PlainProgress, WhatIsCountedSaysHowFarAllIs) {
  Stage stage;
  const auto progress = make_progress(stage.setup(ProgressMode::kPlain));
  progress->report(Event::tally(0, 2));
  progress->report(Event::tally(1, 2));
  progress->report(ended(Event::Kind::kDone, "api", "built", 3200));
  progress->report(Event::tally(1, 4));
  progress->report(Event::finished(Phase::kWaiting, "db", "healthy", 10));
  progress->report(Event::tally(2, 4));
  progress->report(Event::failure(Phase::kStarting, "web", "exit 1", 40));
  EXPECT_EQ(stage.written, "api: built (3.2 s) [1 of 2]\ndb: healthy (10 ms)\nweb: failed (40 ms) [2 of 4]\n");
}

TEST(PlainProgress, VerboseShowsStepsOutputAndCachedThings) {
  Stage stage;
  const auto progress = make_progress(stage.setup(ProgressMode::kPlain, {false, true, false, 1}));
  progress->report(phase(Phase::kBuilding, "api", "[1/2] COPY"));
  progress->report(phase(Phase::kBuilding, "api", "[1/2] COPY"));
  progress->report(phase(Phase::kBuilding, "api", "[2/2] RUN make"));
  progress->report(said(Event::Kind::kOutput, "api", "cc -c \x1b[31mmain.c"));
  progress->report(ended(Event::Kind::kDone, "base", "cached", 0));
  EXPECT_EQ(stage.written,
            "api: building [1/2] COPY\napi: building [2/2] RUN make\napi | cc -c \\x1b[31mmain.c\nbase: cached\n");
}

TEST(QuietProgress, SaysOnlyWhatIsWrong) {
  Stage stage;
  const auto progress = make_progress(stage.setup(ProgressMode::kQuiet));
  progress->report(phase(Phase::kBuilding, "api"));
  progress->report(said(Event::Kind::kNotice, "", "recorded"));
  progress->report(said(Event::Kind::kWarning, "", "careful"));
  EXPECT_EQ(stage.written, "otto: warning: careful\n");
}

TEST(JsonProgress, OneObjectALine) {
  Stage stage;
  const auto progress = make_progress(stage.setup(ProgressMode::kJson));
  progress->report(phase(Phase::kUploading, "api", "", 1, 2));
  progress->report(ended(Event::Kind::kDone, "api", "built", 7));
  progress->report(Event::tally(1, 4));
  EXPECT_EQ(stage.written,
            "{\"event\":\"phase\",\"phase\":\"uploading\",\"subject\":\"api\",\"done\":1,\"total\":2}\n"
            "{\"event\":\"done\",\"subject\":\"api\",\"detail\":\"built\",\"elapsed_ms\":7}\n"
            "{\"event\":\"tally\",\"done\":1,\"total\":4}\n");
}

}  // namespace
}  // namespace otto::cli
