// Result and Error: values, errors, the macros, and the stable spelling of every code.
#include "graph/base/result.h"

#include <gmock/gmock.h>

#include <memory>
#include <set>

namespace otto {
namespace {

using ::testing::ElementsAre;

Result<int> half(int number) {
  if (number % 2 != 0) return make_error(ErrorCode::kUsage, "odd", "give an even number");
  return number / 2;
}

Result<int> quarter(int number) {
  OTTO_TRY(const int first, half(number));
  OTTO_TRY(const int second, half(first));
  return second;
}

Result<void> check_even(int number) {
  OTTO_RETURN_IF_ERROR(half(number));
  return {};
}

TEST(ResultTest, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4).ok());
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3).ok());
  EXPECT_EQ(half(3).error().code, ErrorCode::kUsage);
  EXPECT_EQ(half(3).error().message, "odd");
  EXPECT_EQ(half(3).error().hint, "give an even number");
}

TEST(ResultTest, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_TRUE(check_even(2).ok());
  EXPECT_EQ(check_even(1).error().message, "odd");
}

TEST(ResultTest, MovesWhatCannotBeCopied) {
  const auto make = [](bool good) -> Result<std::unique_ptr<int>> {
    if (!good) return make_error(ErrorCode::kIo, "no");
    return std::make_unique<int>(7);
  };
  const auto through = [&](bool good) -> Result<std::unique_ptr<int>> {
    OTTO_TRY(std::unique_ptr<int> owned, make(good));
    return owned;
  };
  EXPECT_EQ(**through(true), 7);
  EXPECT_FALSE(through(false).ok());
}

TEST(ResultTest, VoidIsOkByDefault) {
  EXPECT_TRUE(Result<void>().ok());
  EXPECT_FALSE(static_cast<bool>(Result<void>(make_error(ErrorCode::kIo, "no"))));
}

TEST(ResultTest, ContextIsOutermostFirst) {
  const Error error = make_error(ErrorCode::kIo, "no").in("inner").in("outer").with_hint("try again");
  EXPECT_THAT(error.context, ElementsAre("outer", "inner"));
  EXPECT_EQ(error.hint, "try again");
}

TEST(ResultDeathTest, ValueOfAnErrorAborts) {
  EXPECT_DEATH(static_cast<void>(*half(3)), "internal error: odd");
  EXPECT_DEATH(OTTO_CHECK(1 == 2), "internal error: 1 == 2");
}

TEST(ResultTest, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  constexpr int kCodes = static_cast<int>(ErrorCode::kInterrupted) + 1;
  for (int code = 0; code < kCodes; ++code) names.insert(error_code_name(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kCodes));
  EXPECT_EQ(error_code_name(ErrorCode::kUnknownName), "unknown_name");
  EXPECT_EQ(error_code_name(ErrorCode::kAuthFailed), "auth_failed");
}

}  // namespace
}  // namespace otto
