// Compose's interpolation: names, operators, nesting, dollars, and what is refused.
#include "engine/compose/interpolation.h"

#include <gtest/gtest.h>

#include <map>

namespace otto::compose {
namespace {

std::string value(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> kValues = {{"A", "a"}, {"EMPTY", ""}, {"_b2", "b"}};
  const Lookup lookup = [](std::string_view name) -> std::optional<std::string> {
    const auto known = kValues.find(name);
    return known == kValues.end() ? std::nullopt : std::optional(known->second);
  };
  auto result = interpolate(text, lookup);
  return result ? *result : "error: " + result.error().message;
}

TEST(Interpolation, PutsValuesIn) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                 {"plain", "plain"},
                                                                 {"$A", "a"},
                                                                 {"x${A}y", "xay"},
                                                                 {"$_b2.$A-", "b.a-"},
                                                                 {"$$A", "$A"},
                                                                 {"$$$A", "$a"},
                                                                 {"$1 $", "$1 $"},
                                                                 {"$UNSET|", "|"},
                                                                 {"${UNSET:-d}", "d"},
                                                                 {"${EMPTY:-d}", "d"},
                                                                 {"${EMPTY-d}", ""},
                                                                 {"${UNSET-d}", "d"},
                                                                 {"${A:+y}", "y"},
                                                                 {"${EMPTY:+y}", ""},
                                                                 {"${EMPTY+y}", "y"},
                                                                 {"${UNSET+y}", ""},
                                                                 {"${A:?no}", "a"},
                                                                 {"${EMPTY?no}", ""},
                                                                 {"${UNSET:-${A}-${X:-$A}}", "a-a"},
                                                                 {"${UNSET:-a:b}", "a:b"},
                                                                 {"${UNSET:-}", ""},
                                                                 {"${UNSET:-{}}", "{}"}};
  for (const auto& [text, wanted] : cases) EXPECT_EQ(value(text), wanted) << text;
}

TEST(Interpolation, RefusesWhatComposeRefuses) {
  EXPECT_EQ(value("${A"), "error: '${A' is no valid interpolation");
  EXPECT_EQ(value("${}"), "error: '${}' is no valid interpolation");
  EXPECT_EQ(value("${A!}"), "error: '${A!' is no valid interpolation");
  EXPECT_EQ(value("${A:}"), "error: '${A:' is no valid interpolation");
  EXPECT_EQ(value("${UNSET:?say $A}"), "error: required variable 'UNSET' has no value: say a");
  EXPECT_EQ(value("${EMPTY:?}"), "error: required variable 'EMPTY' has no value");
  EXPECT_EQ(value("${UNSET?x}"), "error: required variable 'UNSET' has no value: x");
}

TEST(Interpolation, ARefusalShowsNothingOfTheValueButTheName) {
  EXPECT_EQ(value("secret${A secret"), "error: '${A ' is no valid interpolation");
}

TEST(Interpolation, UnsetNamesMayBeMarked) {
  const auto marked = interpolate(
      "$X:${Y:-y}", [](std::string_view) { return std::nullopt; },
      [](std::string_view name) { return "<" + std::string(name) + ">"; });
  EXPECT_EQ(*marked, "<X>:y");
}

TEST(Interpolation, NamesAreFoundWhereverTheyStand) {
  EXPECT_EQ(interpolated_names("$A ${B} ${C:-x $D ${E:+${F}}} $$G ${A} ${bad ${H} $9"),
            (std::vector<std::string>{"A", "B", "C", "D", "E", "F", "H"}));
  EXPECT_TRUE(interpolated_names("no $ here $$").empty());
}

TEST(Interpolation, NestingIsBounded) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${A:+";
  deep += "x" + std::string(100'000, '}');
  EXPECT_EQ(value(deep).substr(0, 6), "error:");
  EXPECT_EQ(interpolated_names(deep), (std::vector<std::string>{"A"}));
}

}  // namespace
}  // namespace otto::compose
