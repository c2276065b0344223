#include "engine/stage/stage_report.h"

#include <gtest/gtest.h>

namespace otto::stage {
namespace {

TEST(StageReportTest, ReadsInPiecesOfAnySize) {
  using std::string_literals::operator""s;
  const auto whole =
      "otto-waiting\tstage\tann@laptop\t3\nstate clean 12ab 34cd /a path/tree.x\nsection manifest 9\nstate\n\0x\nsection bumps 0\nready\ndone\n"s;
  for (std::size_t piece = 1; piece < whole.size(); ++piece) {
    StageReportReader reader;
    for (std::size_t at = 0; at < whole.size(); at += piece) reader.feed(std::string_view(whole).substr(at, piece));
    const auto& report = reader.report();
    EXPECT_FALSE(report.garbled);
    EXPECT_EQ(report.waiting, (parent::LockHolder{"ann@laptop", 3}));
    EXPECT_TRUE(report.ready && report.done);
    EXPECT_EQ(report.condition, "clean");
    EXPECT_EQ(report.stamp, "12ab");
    EXPECT_EQ(report.manifest, "34cd");
    EXPECT_EQ(report.directory, "/a path/tree.x");
    EXPECT_EQ(report.sections.at("manifest").size(), 9U);
    EXPECT_EQ(report.sections.at("bumps"), "");
  }
}

TEST(StageReportTest, OtherWordsAreRefused) {
  for (const char* text : {"Last login: today\n", "state clean id 12 relative\n", "section manifest many\n",
                           "section manifest 99999999999\n", "ready\n"}) {
    StageReportReader reader;
    reader.feed(text);
    EXPECT_TRUE(reader.report().garbled) << text;
  }
  StageReportReader reader;
  reader.feed(std::string(100'000, 'x'));
  EXPECT_TRUE(reader.report().garbled);
}

}  // namespace
}  // namespace otto::stage
