// Env files as compose 2.26 reads them; the values were taken from its own `config`.
#include "engine/compose/env_file.h"

#include <gtest/gtest.h>

namespace otto::compose {
namespace {

using Values = std::map<std::string, std::string>;

Result<Values> parse(std::string_view text) {
  return parse_env_file(text, ".env", [](std::string_view name) -> std::optional<std::string> {
    return name == "FROM_OUTSIDE" ? std::optional<std::string>("outside") : std::nullopt;
  });
}

TEST(EnvFile, ReadsEverySpelling) {
  EXPECT_EQ(
      *parse("# comment\n\nA=x#y z # c\nexport B = spaced  \nC:yaml\nD=\n  E=a:b\nF='' # hi\r\nG=a\"b\"c\n"),
      (Values{{"A", "x#y z"}, {"B", "spaced"}, {"C", "yaml"}, {"D", ""}, {"E", "a:b"}, {"F", ""}, {"G", "a\"b\"c"}}));
}

TEST(EnvFile, QuotesProtectAndEscape) {
  EXPECT_EQ(*parse("A='it\\'s ${B} \\n'\n"), (Values{{"A", "it's ${B} \\n"}}));
  EXPECT_EQ(*parse("A=\"a\\tb\\x\\\\ \\$A \\\" end\"\n"), (Values{{"A", "a\tb\\x\\ $A \" end"}}));
  EXPECT_EQ(*parse("A=\"two\nlines\" # tail\nB=1"), (Values{{"A", "two\nlines"}, {"B", "1"}}));
  EXPECT_EQ(*parse("A=\"x\" B=1\n"), (Values{{"A", "x"}, {"B", "1"}})) << "what follows a quote is a line of its own";
}

TEST(EnvFile, OctalEscapesBlanksOfUnicodeAndLineEnds) {
  EXPECT_EQ(*parse("A=\"\\0101\\012\\08\\0777\\0303\\c\"\n"), (Values{{"A", "A\\12\\8\\777\u00c3\\c"}}));
  EXPECT_EQ(*parse("A=\"x\r\ny\"\r\nB=1\r\n"), (Values{{"A", "x\r\ny"}, {"B", "1"}}));
  EXPECT_EQ(*parse("A=\u00a0v\u00a0\nB=1\u2028\n"), (Values{{"A", "v"}, {"B", "1"}}));
  EXPECT_EQ(*parse("\ufeff\u00e9=1\n"), (Values{{"\u00e9", "1"}}));
}

TEST(EnvFile, ValuesInterpolateOutsideFirstThenEarlierLines) {
  EXPECT_EQ(*parse("A=1\nB=${A}-$A\nC=\"${FROM_OUTSIDE}\"\nFROM_OUTSIDE=inside\nD=$FROM_OUTSIDE\nE=${U:-${B}z}\nF=$$"
                   "A\nG=\\n$A\\$A"),
            (Values{{"A", "1"},
                    {"B", "1-1"},
                    {"C", "outside"},
                    {"FROM_OUTSIDE", "inside"},
                    {"D", "outside"},
                    {"E", "1-1z"},
                    {"F", "$A"},
                    {"G", "\\n1\\1"}}));
}

TEST(EnvFile, BareNamesComeFromOutside) {
  EXPECT_EQ(*parse("FROM_OUTSIDE\nNOWHERE\n"), (Values{{"FROM_OUTSIDE", "outside"}}));
}

TEST(EnvFile, RefusalsNameFileAndLine) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"A=1\nB C=2", ".env:2: the variable name 'B C' holds a blank"},
      {"A=\"x", ".env:1: a value that begins with \" is not closed"},
      {"\nA='x\n\n", ".env:2: a value that begins with ' is not closed"},
      {"\"A\"=1", ".env:1: unexpected character '\"' in a variable's name"},
      {"=1", ".env:1: a variable's name is missing before '='"},
      {"A#B=1\n", ".env:1: unexpected character '#' in a variable's name"},
      {"A=1\n\ufeffB=1\n", ".env:2: unexpected character '\ufeff' in a variable's name"},
      {"A=1\nB", ".env:2: the last line, 'B', has neither '=' nor an end"},
      {"X=1\nA=${X", ".env:2: '${X' is no valid interpolation"},
      {"A=${X:?say}", ".env:1: required variable 'X' has no value: say"}};
  for (const auto& [text, wanted] : cases) {
    auto parsed = parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kConfig);
    EXPECT_EQ(parsed.error().message, wanted);
    EXPECT_FALSE(parsed.error().hint.empty()) << text;
  }
}

TEST(EnvFile, NamesItTakesFromOutside) {
  EXPECT_EQ(env_file_names("A=1\nB=${A}$C\nD='${E}'\n# $F\nG\nH=\"$I\"\n"),
            (std::vector<std::string>{"A", "C", "G", "I"}))
      << "A too: outside wins over earlier lines";
  EXPECT_EQ(env_file_names("A=\"$B"), (std::vector<std::string>{"B"})) << "malformed: whatever looks like one";
}

}  // namespace
}  // namespace otto::compose
