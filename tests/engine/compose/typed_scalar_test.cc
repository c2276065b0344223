#include <gtest/gtest.h>

#include "engine/compose/node.h"

namespace otto::compose {
namespace {

/// The value of a key that is written so.
Node value_of(const std::string& yaml) {
  static const Scope scope;
  static const std::string file = "f";
  const auto documents = parse_documents("a: " + yaml + "\n", file, scope);
  return documents.ok() ? documents->front().get("a") : Node();
}

std::string typed(const std::string& yaml) { return value_of(yaml).typed_text(); }

/// As `docker compose config` of Compose 2.26 prints a build argument.
TEST(TypedScalar, IsWrittenAsComposeWritesIt) {
  const std::pair<const char*, const char*> kTable[] = {
      {"1.10", "1.1"},
      {"0755", "493"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b101", "5"},
      {"1_000", "1000"},
      {"+5", "5"},
      {"-0", "0"},
      {"-12", "-12"},
      {"08", "8"},
      {"1e3", "1000"},
      {"1E3", "1000"},
      {"1e21", "1e+21"},
      {"1e20", "1e+20"},
      {"1234567.0", "1.234567e+06"},
      {"123456789012", "123456789012"},
      {"100000.0", "100000"},
      {"1__0", "10"},
      {"1_.5", "1.5"},
      {"0x_1F", "31"},
      {"0X1F", "31"},
      {"-0o17", "-15"},
      {"+0755", "493"},
      {"0o8", "0o8"},
      {"0b2", "0b2"},
      {"0x", "0x"},
      {"1e", "1e"},
      {"_1", "_1"},
      {".1_", ".1_"},
      {"1e400", "1e400"},
      {"-0.0", "-0"},
      {"1:30", "1:30"},
      {"2001-1-2", "2001-01-02 00:00:00 +0000 UTC"},
      {"2001-01-02 3:4:5", "2001-01-02 03:04:05 +0000 UTC"},
      {"2001-01-02 03:04:05 +02:00", "2001-01-02 03:04:05 +02:00"},
      {"1e-5", "1e-05"},
      {"0.0001", "0.0001"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-1.50", "-1.5"},
      {"True", "true"},
      {"FALSE", "false"},
      {"yes", "yes"},
      {"off", "off"},
      {".inf", "+Inf"},
      {"-.Inf", "-Inf"},
      {".nan", "NaN"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "1.8446744073709552e+19"},
      {"2001-01-02", "2001-01-02 00:00:00 +0000 UTC"},
      {"2001-01-02T03:04:05Z", "2001-01-02 03:04:05 +0000 UTC"},
      {"2001-01-02T03:04:05+00:00", "2001-01-02 03:04:05 +0000 UTC"},
      {"2001-01-02T03:04:05.50+02:00", "2001-01-02 03:04:05.5 +0200 +0200"},
      {"2001-13-02", "2001-13-02"},
      {"1.2.3", "1.2.3"},
      {"0755x", "0755x"},
      {"a_b", "a_b"}};
  for (const auto& [written, text] : kTable) EXPECT_EQ(typed(written), text) << written;
}

TEST(TypedScalar, YamlsOwnTagsTypeWhatIsQuotedToo) {
  EXPECT_EQ(typed("!!int '010'"), "8");
  EXPECT_EQ(typed("!!float \"1.50\""), "1.5");
  EXPECT_EQ(typed("!!str 010"), "010");
  EXPECT_TRUE(value_of("!!null ''").is_nothing());
}

TEST(TypedScalar, ALongNumberIsNoTrouble) { EXPECT_EQ(typed(std::string(100'000, '1')), std::string(100'000, '1')); }

TEST(TypedScalar, WhatIsQuotedIsText) {
  for (const std::string text : {"1.10", "0755", "True", "2001-01-02", "null"}) {
    EXPECT_EQ(typed("'" + text + "'"), text);
    EXPECT_EQ(typed("\"" + text + "\""), text);
  }
  EXPECT_FALSE(value_of("'null'").is_nothing());
  for (const char* null : {"~", "null", "Null", "NULL", ""}) EXPECT_EQ(value_of(null).kind, Node::Kind::kNull) << null;
}

}  // namespace
}  // namespace otto::compose
