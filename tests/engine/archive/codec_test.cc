#include "engine/archive/codec.h"

#include <gtest/gtest.h>

namespace otto::archive {
namespace {

std::string packed(Codec codec, const std::string& text) {
  std::string out;
  Compressor compressor(codec, [&](std::string_view bytes) {
    out += bytes;
    return Result<void>();
  });
  for (std::size_t at = 0; at < text.size(); at += 777)
    EXPECT_TRUE(compressor.write(std::string_view(text).substr(at, 777)).ok());
  EXPECT_TRUE(compressor.finish().ok());
  return out;
}

TEST(StageCodecTest, WhatIsPackedComesBack) {
  for (auto codec : {Codec::kGzip, Codec::kZstd}) {
    for (const auto& text : {std::string("short"), std::string(1'000'000, 'x')}) {
      auto bytes = packed(codec, text);
      auto plain = decompress(bytes, text.size());
      ASSERT_TRUE(plain.ok());
      EXPECT_EQ(*plain, text);
    }
    EXPECT_LT(packed(codec, std::string(1'000'000, 'x')).size(), 10'000U);
  }
  EXPECT_EQ(packed(Codec::kNone, "plain"), "plain");
}

TEST(StageCodecTest, TooMuchOrDamagedIsAnError) {
  auto bytes = packed(Codec::kZstd, std::string(100'001, 'x'));
  EXPECT_FALSE(decompress(bytes, 100'000).ok());
  EXPECT_FALSE(decompress(std::string_view(bytes).substr(0, bytes.size() - 5), 1'000'000).ok());
}

TEST(StageCodecTest, TheSinksErrorComesBack) {
  for (auto codec : {Codec::kNone, Codec::kGzip, Codec::kZstd}) {
    Compressor compressor(
        codec, [](std::string_view) -> Result<void> { return make_error(ErrorCode::kConnectionLost, "gone"); });
    auto written = compressor.write("bytes");
    auto failed = written.ok() ? compressor.finish() : written;
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, ErrorCode::kConnectionLost);
  }
}

}  // namespace
}  // namespace otto::archive
