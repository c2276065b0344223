#include "graph/fingerprint.h"

#include <gtest/gtest.h>

namespace otto::graph {
namespace {

Digest filled(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

FingerprintBuilder second_vector() {
  FingerprintBuilder builder;
  builder.add_digest(ComponentKind::kUpstream, "base", filled(0x22));
  builder.add(ComponentKind::kBuildArg, "VERSION", "1.2.3");
  builder.add(ComponentKind::kBuildArg, "MODE", "fast");
  builder.add(ComponentKind::kPlatform, "platform", "linux/arm64");
  builder.add(ComponentKind::kTarget, "target", "prod");
  builder.add_digest(ComponentKind::kContext, "docker", filled(0x11));
  builder.add(ComponentKind::kDockerfile, "docker/Dockerfile", "FROM a-base\nCOPY . /\n");
  return builder;
}

TEST(FingerprintTest, VectorsOfTheDocument) {
  FingerprintBuilder builder;
  builder.add(ComponentKind::kDockerfile, "Dockerfile", "FROM scratch\n");
  builder.add_digest(ComponentKind::kContext, ".", filled(0));
  EXPECT_EQ(std::move(builder).finish().hash.hex(), "aa0150a8859a4e1cda68f07aa25f8342531f18ffd3055902d57caea43c9660ca");
  FingerprintBuilder options;
  options.add(ComponentKind::kDockerfile, "Dockerfile", "FROM scratch\n");
  options.add_digest(ComponentKind::kContext, ".", filled(0));
  options.add(ComponentKind::kOption, "--network", "none");
  options.add(ComponentKind::kOption, "--label a", "1");
  EXPECT_EQ(std::move(options).finish().hash.hex(), "36dbbb1de87176e4795020c9eafafe47742f8242dbdcc5454a1e7cddf68a794e");
  EXPECT_EQ(second_vector().finish().hash.hex(), "c9247f2f3f019ef35aa8ddda713eb633620113d09b2cd34f068d81c846a71db3");
}

TEST(FingerprintTest, WhatOnlyExplainsDoesNotCount) {
  FingerprintBuilder builder = second_vector();
  builder.explain_only(ComponentKind::kIgnore, ".dockerignore", filled(7));
  const Fingerprint with = std::move(builder).finish();
  EXPECT_EQ(with.hash, second_vector().finish().hash);
  EXPECT_EQ(with.components.size(), 8U);
}

TEST(FingerprintTest, NoInputCanBeSpeltIntoAnother) {
  const auto hash_of = [](const char* name, const char* value) {
    FingerprintBuilder builder;
    builder.add(ComponentKind::kBuildArg, name, value);
    return std::move(builder).finish().hash;
  };
  EXPECT_NE(hash_of("A", "B=C"), hash_of("A=B", "C"));
  FingerprintBuilder target, platform;
  target.add(ComponentKind::kTarget, "", "x");
  platform.add(ComponentKind::kPlatform, "", "x");
  EXPECT_NE(std::move(target).finish().hash, std::move(platform).finish().hash);
}

TEST(FingerprintTest, StoredFormComesBack) {
  FingerprintBuilder builder = second_vector();
  builder.explain_only(ComponentKind::kIgnore, "a\nb:c", filled(7));
  const Fingerprint fingerprint = std::move(builder).finish();
  const std::string stored = serialize(fingerprint);
  const auto back = parse_fingerprint(stored);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hash, fingerprint.hash);
  EXPECT_EQ(back->components, fingerprint.components);
  for (std::size_t cut = 1; cut < stored.size(); ++cut) {
    const auto damaged = parse_fingerprint(std::string_view(stored).substr(0, cut));
    EXPECT_TRUE(!damaged || damaged->components.size() < fingerprint.components.size()) << cut;
  }
}

TEST(FieldTest, OnlyTheCanonicalSpellingIsTaken) {
  const auto take = [](std::string_view in) { return take_field(in); };
  EXPECT_EQ(take("3:abc\n"), "abc");
  EXPECT_EQ(take("0:\n"), "");
  for (const char* bad :
       {"", "3", "3:", "3:ab\n", "03:abc\n", "+3:abc\n", "-1:\n", "3:abcd", "99999999999999999999:a\n", " 3:abc\n"}) {
    EXPECT_FALSE(take(bad)) << bad;
  }
  std::string_view two = "1:a\n2:bc\n";
  EXPECT_EQ(take_field(two), "a");
  EXPECT_EQ(take_field(two), "bc");
  EXPECT_TRUE(two.empty());
}

}  // namespace
}  // namespace otto::graph
