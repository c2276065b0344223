// Words of Dockerfiles as BuildKit's lexer has them (frontend/dockerfile/shell): quotes, escapes, variables, patterns.
#include "engine/images/dockerfile_words.h"

#include <gtest/gtest.h>

#include <map>

namespace otto::images {
namespace {

/// The expanded word, or "error".
std::string expanded(std::string_view word, char escape = '\\') {
  static const std::map<std::string, std::string, std::less<>> kValues = {
      {"PWD", "/home"},   {"SHELL", "bash"}, {"KOREAN", "한국어"}, {"NULL", ""},
      {"V", "foobarbar"}, {"P", "a/b/c"},    {"S", "x*y"}};
  auto result = expand_word(word, escape, [](std::string_view name) -> std::optional<std::string> {
    const auto known = kValues.find(name);
    return known == kValues.end() ? std::nullopt : std::optional(known->second);
  });
  return result.ok() ? *result : "error";
}

struct Row {
  const char* word;
  const char* value;
};

void expect_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) EXPECT_EQ(expanded(row.word), row.value) << row.word;
}

TEST(DockerfileWords, QuotesAndEscapes) {
  expect_all({{"hello", "hello"},
              {"he'll'o", "hello"},
              {"he'llo", "error"},
              {R"(he\'llo)", "he'llo"},
              {R"(he\\'llo)", "error"},
              {R"(abc\tdef)", "abctdef"},
              {R"("abc\tdef")", R"(abc\tdef)"},
              {R"("abc\\tdef")", R"(abc\tdef)"},
              {R"('abc\tdef')", R"(abc\tdef)"},
              {R"(hello\)", "hello"},
              {R"(hello\\)", R"(hello\)"},
              {R"("hello)", "error"},
              {R"("hello\")", "error"},
              {R"("hel'lo")", "hel'lo"},
              {R"('hello)", "error"},
              {R"('hello\')", R"(hello\)"},
              {R"('hello\\there')", R"(hello\\there)"},
              {R"("''")", "''"},
              {"안'녕'하세요", "안녕하세요"},
              {"안'녕하세요", "error"}});
  EXPECT_EQ(expanded("c:\\`$PWD", '`'), "c:\\$PWD");
}

TEST(DockerfileWords, Variables) {
  expect_all({{"$.", "$."},
              {"he$1x", "hex"},
              {"he$.x", "he$.x"},
              {"he$pwd.", "he."},
              {"he$PWD", "he/home"},
              {R"(he\$PWD)", "he$PWD"},
              {R"(he\\$PWD)", R"(he\/home)"},
              {R"("he\$PWD")", "he$PWD"},
              {R"('he\$PWD')", R"(he\$PWD)"},
              {R"(\${}aaa)", "${}aaa"},
              {"${}", "error"},
              {"he${hi}xx", "hexx"},
              {"he${PWD}", "he/home"},
              {"he${.}", "error"},
              {"'he${NO}'", "he${NO}"},
              {"\"he'$PWD'\"", "he'/home'"},
              {"he${PWD", "error"},
              {"안녕$KOREAN", "안녕한국어"},
              {"${{aaa}", "error"},
              {"${aaa}}", "}"},
              {"${:}", "error"},
              {"$001aaa", "aaa"},
              {"${999:-bbb}aaa", "bbbaaa"},
              {"$@@@", "@@"},
              {"$$", ""},
              {"${?:-bbb}", "bbb"},
              {"${-}", ""},
              {"${#:+bbb}", ""}});
}

TEST(DockerfileWords, Defaults) {
  expect_all({{"he${NONE:-000}xx", "he000xx"},
              {"he${PWD:-000}xx", "he/homexx"},
              {"he${NONE:-${YYY:-yyy}}xx", "heyyyxx"},
              {"he${NONE:YYY}", "error"},
              {"he${NONE?}", "error"},
              {"he${NULL?}", "he"},
              {"he${NULL:?}", "error"},
              {"he${PWD:+${SHELL}}xx", "hebashxx"},
              {"he${NONE:+000}xx", "hexx"},
              {"he${PWD:=000}xx", "error"},
              {"he${PWD:+${PWD}:}xx", "he/home:xx"},
              {R"(he${NONE:-\$PWD:}xx)", "he$PWD:xx"},
              {R"(he${NONE:-\${PWD}z}xx)", "he${PWDz}xx"},
              {"${aaa:-bbb}}", "bbb}"},
              {"${aaa:-bbb {foo}", "bbb {foo"},
              {"${aaa:-bbb", "error"},
              {"${:-bbb}", "error"}});
}

TEST(DockerfileWords, Patterns) {
  expect_all({{"${V#foo}", "barbar"},   {"${V#f*b}", "arbar"},      {"${V##f*b}", "ar"},
              {"${V%bar}", "foobar"},   {"${V%b*}", "foobar"},      {"${V%%b*}", "foo"},
              {"${V%}", "foobarbar"},   {"${V##}", "foobarbar"},    {"${V#?}", "oobarbar"},
              {"${V#.*}", "foobarbar"}, {"${V:#foo}", "error"},     {"${V/bar/X}", "fooXbar"},
              {"${V//bar/X}", "fooXX"}, {"${V/b*/X}", "fooX"},      {"${V/bar/}", "foobar"},
              {"${V/bar}", "error"},    {R"(${P//\//-})", "a-b-c"}, {R"(${P/\//-})", "a-b/c"},
              {R"(${S/\*/-})", "x-y"},  {R"(${S#x\*})", "y"},       {R"(${S%\*y})", "x"},
              {R"(${V#\f})", "error"},  {R"(${V/o/\})", "error"},   {R"(${V/foo/a}b})", "abarbarb}"},
              {"${KOREAN%어}", "한국"}, {"${KOREAN#?}", "국어"},    {"${nope%x*}", ""}});
}

}  // namespace
}  // namespace otto::images
