#include "graph/line_diff.h"

#include <gtest/gtest.h>

namespace otto::graph {
namespace {

TEST(LineDiff, OneLineChanged) {
  EXPECT_EQ(describe_line_changes("FROM x\nEXPOSE 80\nCMD y\n", "FROM x\nEXPOSE 81\nCMD y\n"),
            "- 2: EXPOSE 80\n+ 2: EXPOSE 81");
}

TEST(LineDiff, LinesThatStayAreNotTold) {
  EXPECT_EQ(describe_line_changes("a\nb\nc\nd\n", "b\nx\nc\nd\ne\n"), "- 1: a\n+ 2: x\n+ 5: e");
  EXPECT_EQ(describe_line_changes("a\na\n", "a\na\na\n"), "+ 3: a");
}

TEST(LineDiff, FromAndToNothing) {
  EXPECT_EQ(describe_line_changes("", "a\n"), "+ 1: a");
  EXPECT_EQ(describe_line_changes("a\n", ""), "- 1: a");
  EXPECT_EQ(describe_line_changes("", ""), "");
  EXPECT_EQ(describe_line_changes("a\n", "a"), "") << "the last newline is no line";
}

TEST(LineDiff, LongAnswersAreCut) {
  std::string now;
  for (int i = 0; i < 12; ++i) now += "x" + std::to_string(i) + "\n";
  const std::string told = describe_line_changes("", now, 3);
  EXPECT_EQ(told, "+ 1: x0\n+ 2: x1\n+ 3: x2\n… and 9 more lines");
  EXPECT_LT(describe_line_changes("", std::string(100'000, 'a')).size(), 300U);
}

TEST(LineDiff, HugeTextsAreReplacedWholeAndInTime) {
  std::string before, now;
  for (int i = 0; i < 5000; ++i) before += "a" + std::to_string(i) + "\n", now += "b" + std::to_string(i) + "\n";
  EXPECT_TRUE(describe_line_changes(before, now).ends_with("… and 9990 more lines"));
}

TEST(LineDiff, OddBytesStayHarmless) {
  EXPECT_EQ(describe_line_changes("", "RUN \x1b[31m\xff\n"), "+ 1: RUN \\x1b[31m\xef\xbf\xbd");
}

}  // namespace
}  // namespace otto::graph
