// The text primitives: each by a table of inputs and outputs.
#include "graph/base/text.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <memory>

namespace otto::text {
namespace {

using ::testing::ElementsAre;

TEST(TextTest, EditDistanceCountsNeighboursSwappedAsOne) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("api", "api"), 0u);
  EXPECT_EQ(edit_distance("api", "ap"), 1u);
  EXPECT_EQ(edit_distance("nmae", "name"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);
}

TEST(TextTest, NearMissIsASlipOfTheHandOnly) {
  const std::vector<std::string> words = {"dockerfile", "context", "api", "apo"};
  EXPECT_EQ(near_miss("dockerfle", words), "dockerfile");
  EXPECT_EQ(near_miss("apu", words), "api");
  EXPECT_EQ(near_miss("colour", words), std::nullopt);
  EXPECT_EQ(near_miss("", words), std::nullopt);
  EXPECT_EQ(near_miss("api", {}), std::nullopt);
  EXPECT_EQ(did_you_mean("contxt", words), " … did you mean 'context'?");
  EXPECT_EQ(did_you_mean("colour", words), "");
}

TEST(TextTest, HexLowerTrimSplitJoin) {
  const std::vector<std::uint8_t> bytes = {0x00, 0x9f, 0xff};
  EXPECT_EQ(to_hex(bytes), "009fff");
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_lower("AbZ_9Ä"), "abz_9Ä");
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  const std::vector<std::string> parts = {"a", "b"};
  EXPECT_EQ(join(parts, ", "), "a, b");
}

TEST(TextTest, ShellQuote) {
  EXPECT_EQ(shell_quote("plain-1.2_x/y:z@%+=,"), "plain-1.2_x/y:z@%+=,");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_quote("~"), "'~'");
  const std::vector<std::string> words = {"echo", "$HOME", "*"};
  EXPECT_EQ(shell_join(words), "echo '$HOME' '*'");
}

TEST(TextTest, TheShellReadsBackWhatWasQuoted) {
  std::string every;
  for (int byte = 1; byte < 256; ++byte) every += static_cast<char>(byte);
  const std::vector<std::string> words = {"printf", "%s", every};
  const std::unique_ptr<FILE, int (*)(FILE*)> shell(popen(shell_join(words).c_str(), "r"), pclose);
  ASSERT_NE(shell, nullptr);
  std::string answer(512, '\0');
  answer.resize(fread(answer.data(), 1, answer.size(), shell.get()));
  EXPECT_EQ(answer, every);
}

TEST(TextTest, HumanSize) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(812), "812 B");
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1000), "1.0 kB");
  EXPECT_EQ(human_size(1440), "1.4 kB");
  EXPECT_EQ(human_size(999'499), "999 kB");
  EXPECT_EQ(human_size(999'500), "1.0 MB");
  EXPECT_EQ(human_size(237'000'000), "237 MB");
  EXPECT_EQ(human_size(18'446'744'073'709'551'615u), "18447 PB");
}

TEST(TextTest, HumanDuration) {
  EXPECT_EQ(human_duration(0), "0 ms");
  EXPECT_EQ(human_duration(999), "999 ms");
  EXPECT_EQ(human_duration(3200), "3.2 s");
  EXPECT_EQ(human_duration(125'000), "2m 05s");
}

TEST(TextTest, PrintableKeepsTextAndDisarmsTheRest) {
  EXPECT_EQ(printable("жук 🥕\t\n"), "жук 🥕\t\n");
  EXPECT_EQ(printable("\x1b[31m\r\x7f"), "\\x1b[31m\\x0d\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(printable("\xc2\x9b"), "") << "C1 controls drive terminals too";
  EXPECT_EQ(printable("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate";
  EXPECT_EQ(printable("\xf0\x9f\xa5"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "cut short";
}

TEST(Text, ReplaceAllGoesFromLeftToRight) {
  EXPECT_EQ(replace_all("aXbXX", "X", "XY"), "aXYbXYXY");
  EXPECT_EQ(replace_all("aaa", "aa", "b"), "ba");
  EXPECT_EQ(replace_all("abc", "x", ""), "abc");
}

}  // namespace
}  // namespace otto::text
