#include "engine/context/ignore_rules.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace otto::context {
namespace {

enum Verdict { kSent, kLeftOut };

/// As the walk asks: directory by directory, not going into what may be pruned.
Verdict verdict(const IgnoreRules& rules, std::string_view path) {
  IgnoreRules::ParentState parent;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    IgnoreRules::ParentState state;
    const std::string_view directory = path.substr(0, slash);
    if (rules.ignored(directory, parent, &state) && rules.may_prune(directory)) return kLeftOut;
    parent = std::move(state);
  }
  return rules.ignored(path, parent) ? kLeftOut : kSent;
}

IgnoreRules parsed(std::string_view text) {
  auto rules = IgnoreRules::parse(text, ".dockerignore");
  if (!rules) ADD_FAILURE() << rules.error().message;
  return rules ? std::move(*rules) : IgnoreRules();
}

struct Case {
  std::string_view rules;
  std::string_view path;
  Verdict expected;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << ::testing::PrintToString(c.rules) << " for " << ::testing::PrintToString(c.path);
  }
};

// The verdicts are those of moby/patternmatcher itself.
constexpr Case kCases[] = {
    // clang-format off
    {"**/x", "x", kLeftOut},
    {"**/x", "a/x", kLeftOut},
    {"**/x", "a/b/x", kLeftOut},
    {"**/x", "ax", kSent},
    {"a**/x", "ax", kLeftOut},
    {"**/**/x", "x", kLeftOut},
    {"**/x", "a/xb", kSent},
    {"**/x", "x/y", kLeftOut},
    {"out/", "out", kLeftOut},
    {"out/", "out/a", kLeftOut},
    {"out/", "a/out", kSent},
    {"/out", "out", kLeftOut},
    {"/out", "a/out", kSent},
    {"./out", "out", kLeftOut},
    {"./out", "out/x/y", kLeftOut},
    {"out/.", "out", kLeftOut},
    {"a/../out", "out", kLeftOut},
    {"../out", "out", kSent},
    {"//out", "out", kLeftOut},
    {"[^a]", "a", kSent},
    {"[^a]", "b", kLeftOut},
    {"[^a]", "ab", kSent},
    {"[^a]", "b/c", kLeftOut},
    {"a[^b]c", "a/c", kLeftOut},
    {"[!a]", "a", kLeftOut},
    {"[!a]", "!", kLeftOut},
    {"[!a]", "b", kSent},
    {"[a-c]x", "bx", kLeftOut},
    {"[a-c]x", "dx", kSent},
    {"[\\]a]", "]", kLeftOut},
    {"[\\-]", "-", kLeftOut},
    {"*", "a", kLeftOut},
    {"*", "a/b", kLeftOut},
    {"*.log", "x.log", kLeftOut},
    {"*.log", "a/x.log", kSent},
    {"*/x", "a/x", kLeftOut},
    {"*/x", "x", kSent},
    {"*/x", "a/b/x", kSent},
    {"a*/b", "a1/b", kLeftOut},
    {"a*b", "a/b", kSent},
    {"a?c", "abc", kLeftOut},
    {"a?c", "a/c", kSent},
    {"a?c", "a\303\251c", kLeftOut},
    {"??", "\303\251", kSent},
    {"**", "a/b", kLeftOut},
    {"a/**", "a", kSent},
    {"a/**", "a/b/c", kLeftOut},
    {"a**", "ab/c", kLeftOut},
    {"a**", "b", kSent},
    {"**a", "ba", kLeftOut},
    {"**/a/**", "a", kSent},
    {"**/a/**", "x/a/y", kLeftOut},
    {"**/a/**", "a/y", kLeftOut},
    {"a/**/b", "a/b", kLeftOut},
    {"a/**/b", "a/x/y/b", kLeftOut},
    {"a/**/b", "a/xb", kSent},
    {"**/*.go", "x.go", kLeftOut},
    {"**/*.go", "a/b/x.go", kLeftOut},
    {"***", "a", kLeftOut},
    {"**/**", "a/b", kLeftOut},
    {"a.b", "a.b", kLeftOut},
    {"a.b", "axb", kSent},
    {"a+(b)$", "a+(b)$", kLeftOut},
    {".*", ".git", kLeftOut},
    {".*", "git", kSent},
    {"\\*", "*", kLeftOut},
    {"\\*", "a", kSent},
    {"a\\ b", "a b", kLeftOut},
    {"\\#a", "#a", kLeftOut},
    {"#a", "#a", kSent},
    {" #a", "#a", kLeftOut},
    {"\\!a", "!a", kLeftOut},
    {"a b", "a b", kLeftOut},
    {"  a  ", "a", kLeftOut},
    {"a\n!a", "a", kSent},
    {"!a\na", "a", kLeftOut},
    {"a\n!a/b", "a/b", kSent},
    {"a\n!a/b", "a/c", kLeftOut},
    {"a\n!a/b\na/b", "a/b", kLeftOut},
    {"*\n!a", "a", kSent},
    {"*\n!a", "a/b", kSent},
    {"*\n!a/b", "a/b", kSent},
    {"*\n!a/b", "a/c", kLeftOut},
    {"**\n!**/keep", "a/keep", kSent},
    {"**\n!**/keep", "keep/x", kSent},
    {"a/*\n!a/b", "a/b", kSent},
    {"a/*\n!a/b", "a/b/c", kSent},
    {"k/x\n!k", "k/x", kLeftOut},
    {"k/x\n!k/**", "k/x", kSent},
    {"a/*\n!a/b\na/b/c", "a/b/c", kLeftOut},
    {"! a\na", "a", kLeftOut},
    {"a\n!./a", "a", kSent},
    {"a\n!/a/", "a", kSent},
    {"a\n!../../a", "a", kLeftOut},
    {"a\n!!a", "a", kLeftOut},
    {"!a\n", "a", kSent},
    {"\303\251", "\303\251", kLeftOut},
    {"[\303\240-\303\274]", "\303\251", kLeftOut},
    {"[\303\240-\303\274]", "e", kSent},
    {"a|b*", "b", kLeftOut},
    {"a|b*", "a", kLeftOut},
    {"a|b*", "xa", kSent},
    {"a{2}*", "aa", kLeftOut},
    {"a{2}*", "a", kSent},
    {"a{x}*", "a{x}", kLeftOut},
    {"{a,b}", "a", kSent},
    {"{a,b}", "{a,b}", kLeftOut},
    {"[*]", "*", kSent},
    {"[*]", "[]", kLeftOut},
    {"\\d", "5", kLeftOut},
    {"\\d", "d", kSent},
    {"\\pL", "\xc3\xa9", kLeftOut},
    {"\\pL", "5", kSent},
    {"\\x{61}*", "ab", kLeftOut},
    {"^a*", "a", kLeftOut},
    {"a\\nb", "a\nb", kLeftOut},
    {"*", "a\nb", kLeftOut},
    {std::string_view("a*\000", 3), "a", kSent},
    {".", "a", kSent},
    {"/", "a", kSent},
    {"a//b", "a/b", kLeftOut},
    {"a/b/..", "a", kLeftOut},
    {"\357\273\277a", "a", kLeftOut},
    {"x\n\357\273\277a*", "ab", kLeftOut},
    {"\302\240a\342\200\203", "a", kLeftOut},
    {"a\r\nb\r\n", "b", kLeftOut},
    // clang-format on
};

class DockersVerdict : public ::testing::TestWithParam<Case> {};
TEST_P(DockersVerdict, IsOurs) { EXPECT_EQ(verdict(parsed(GetParam().rules), GetParam().path), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(Table, DockersVerdict, ::testing::ValuesIn(kCases));

TEST(IgnoreRules, WithoutPatternsEverythingIsSent) {
  EXPECT_TRUE(IgnoreRules().empty());
  EXPECT_FALSE(IgnoreRules().ignored("a", {}));
  EXPECT_TRUE(parsed("").empty());
  EXPECT_TRUE(parsed("# only\n\n   \n#comments").empty());
  EXPECT_FALSE(parsed("a").empty());
}

TEST(IgnoreRules, BytesThatAreNoUtf8AreOneUnknownCharacterEach) {
  EXPECT_EQ(verdict(parsed("a?b"),
                    "a\xff"
                    "b"),
            kLeftOut);
  EXPECT_EQ(verdict(parsed("*\xff"), "a\xfe"), kLeftOut);
  EXPECT_EQ(verdict(parsed("a\xff*"), "a\xfe"), kLeftOut);
  EXPECT_EQ(verdict(parsed("a\xff"), "a\xff"), kSent);  // the pattern travels as JSON, which holds no such byte
}

TEST(IgnoreRules, TheStateOfAParentCountsForItsChildren) {
  const IgnoreRules rules = parsed("a\n!a/b");
  IgnoreRules::ParentState of_a;
  EXPECT_TRUE(rules.ignored("a", {}, &of_a));
  EXPECT_EQ(of_a, (IgnoreRules::ParentState{true, false}));
  EXPECT_TRUE(rules.ignored("a/c", of_a));
  IgnoreRules::ParentState of_b;
  EXPECT_FALSE(rules.ignored("a/b", of_a, &of_b));
  EXPECT_FALSE(rules.ignored("a/b/c", of_b));
}

TEST(IgnoreRules, WithoutAParentsStateAllParentsAreTried) {
  const IgnoreRules rules = parsed("a/b\n!a/b/keep");
  EXPECT_TRUE(rules.ignored("a/b/c/d", {}));
  EXPECT_FALSE(rules.ignored("a/b/keep/d", {}));
}

TEST(IgnoreRules, PrunesWhereNothingCanComeBack) {
  EXPECT_TRUE(parsed("a").may_prune("a"));
  const IgnoreRules named = parsed("*\n!a/b/c\n!x/**");
  EXPECT_FALSE(named.may_prune("a"));
  EXPECT_FALSE(named.may_prune("a/b"));
  EXPECT_FALSE(named.may_prune("a/b/c"));
  EXPECT_TRUE(named.may_prune("a/b/c/d"));
  EXPECT_TRUE(named.may_prune("ab"));
  EXPECT_FALSE(named.may_prune("x"));
  EXPECT_TRUE(named.may_prune("x/y"));
  EXPECT_FALSE(parsed("*\n!**/keep").may_prune("anything"));
}

// Docker prunes by the pattern's head alone, so this file stays out though a rule would bring it back.
TEST(IgnoreRules, PrunesWhatDockerPrunes) { EXPECT_EQ(verdict(parsed("a/b\n!a/*/**"), "a/b/x"), kLeftOut); }

struct Refusal {
  std::string_view rules;
  std::string_view message;  ///< its beginning
};

class RefusedPattern : public ::testing::TestWithParam<Refusal> {};
TEST_P(RefusedPattern, IsNamedWithItsLine) {
  const auto rules = IgnoreRules::parse(GetParam().rules, "sub/.dockerignore");
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(rules.error().code, ErrorCode::kConfig);
  EXPECT_EQ(rules.error().message.substr(0, GetParam().message.size()), GetParam().message);
  EXPECT_FALSE(rules.error().hint.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, RefusedPattern,
    ::testing::Values(Refusal{"!", "sub/.dockerignore:1: pattern '!' is refused: '!' needs a pattern"},
                      Refusal{"a\n# b\n!/\n", "sub/.dockerignore:3: pattern '!/' is refused"},
                      Refusal{"a\n[", "sub/.dockerignore:2: pattern '[' is refused: brackets"},
                      Refusal{"[]a]", "sub/.dockerignore:1:"}, Refusal{"[x-]", "sub/.dockerignore:1:"},
                      Refusal{"[^", "sub/.dockerignore:1:"}, Refusal{"a\\", "sub/.dockerignore:1:"},
                      Refusal{"[c-a]",
                              "sub/.dockerignore:1: pattern '[c-a]' is refused: invalid character class range: c-a"},
                      Refusal{"\\q", "sub/.dockerignore:1: pattern '\\q' is refused: invalid escape sequence: \\q"},
                      Refusal{"\\C", "sub/.dockerignore:1: pattern '\\C' is refused: invalid escape sequence: \\C"},
                      Refusal{"\\pQ", "sub/.dockerignore:1: pattern '\\pQ' is refused: invalid character class range"},
                      Refusal{"[[:nope:]]", "sub/.dockerignore:1: pattern '[[:nope:]]' is refused: invalid char"},
                      Refusal{"*{2}", "sub/.dockerignore:1: pattern '*{2}' is refused: bad repetition operator"},
                      Refusal{"a{3,2}*", "sub/.dockerignore:1: pattern 'a{3,2}*' is refused: "},
                      Refusal{"*|{2}", "sub/.dockerignore:1: pattern '*|{2}' is refused: no argument for"}));

TEST(IgnoreRules, ALineLongerThanDockerReadsIsRefused) {
  const std::string longest(65535, 'a');
  EXPECT_TRUE(IgnoreRules::parse("b\n" + longest, "f").ok());
  const auto rules = IgnoreRules::parse("b\n" + longest + "a", "f");
  ASSERT_FALSE(rules.ok());
  EXPECT_NE(rules.error().message.find("longer than 64 KiB"), std::string::npos);
}

// A matcher that backtracks would need longer than the universe has had.
TEST(IgnoreRules, MatchingIsNotExponential) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a**/";
  const IgnoreRules rules = parsed(pattern + "b");
  std::string path;
  for (int i = 0; i < 100; ++i) path += "aaaaaaaaa/";
  EXPECT_FALSE(rules.ignored(path + "c", IgnoreRules::ParentState{false}));
  EXPECT_TRUE(rules.ignored(path + "b", IgnoreRules::ParentState{false}));
}

}  // namespace
}  // namespace otto::context
