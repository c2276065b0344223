#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/shell_host.h"
#include "engine/hosts/transfer_script.h"

namespace otto::hosts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PlainWordsTest, BlanksQuotesAndBackslashesAsInSh) {
  EXPECT_THAT(*plain_words("/bin/a  b\tc\n"), ElementsAre("/bin/a", "b", "c"));
  EXPECT_THAT(*plain_words(R"(a 'b  $c' "d \" \$ \x" e\ f '' g''h)"),
              ElementsAre("a", "b  $c", R"(d " $ \x)", "e f", "", "gh"));
}

TEST(PlainWordsTest, WhatNeedsAShellIsNamed) {
  for (const char* command : {"a | b", "a; b", "a > b", "a $b", "a \"$b\"", "a `b`", "a *", "(a)", "a &"}) {
    const auto words = plain_words(command);
    ASSERT_FALSE(words.ok()) << command;
    EXPECT_EQ(words.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(words.error().message, HasSubstr("has no shell"));
  }
  EXPECT_FALSE(plain_words("a 'b").ok());
  EXPECT_FALSE(plain_words("  ").ok());
}

TEST(OwnNameTest, TheLastComponentOrNothingForContents) {
  EXPECT_EQ(own_name("a/b"), "b");
  EXPECT_EQ(own_name("a/b//"), "b");
  EXPECT_EQ(own_name("a"), "a");
  for (const char* contents : {"a/.", ".", "..", "/", "a/..", "a/./"}) EXPECT_EQ(own_name(contents), "") << contents;
}

}  // namespace
}  // namespace otto::hosts
