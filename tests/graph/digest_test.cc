#include "graph/digest.h"

#include <gtest/gtest.h>

namespace otto::graph {
namespace {

TEST(Sha256Test, KnownVectors) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesGiveTheSameAndTheHasherStartsAnew) {
  Sha256 hasher;
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
  hasher.update("abc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
}

TEST(DigestTest, HexBothWays) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(Digest::from_hex(digest.hex()), digest);
  EXPECT_EQ(digest.tag(), "ba7816bf8f01cfea414140de5dae2223b00361a3");
  EXPECT_FALSE(Digest::from_hex("ba78"));
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'g')));
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'A'))) << "only the spelling that hex() gives";
}

TEST(ChangeDigestTest, DependsOnTheKey) {
  const ChangeKey one = ChangeKey::random();
  const ChangeKey other = ChangeKey::random();
  const std::string bytes(1000, 'x');
  EXPECT_EQ(change_digest(bytes, one), change_digest(bytes, one));
  EXPECT_NE(change_digest(bytes, one), change_digest(bytes, other));
  EXPECT_NE(change_digest("a", one), change_digest("b", one));
}

TEST(ChangeDigestTest, PiecesGiveTheSame) {
  const ChangeKey key = ChangeKey::random();
  for (const std::size_t size : {0U, 1U, 16U, 17U, 240U, 241U, 5000U}) {
    const std::string bytes(size, 'q');
    ChangeHasher hasher(key);
    hasher.update(std::string_view(bytes).substr(0, size / 2));
    hasher.update(std::string_view(bytes).substr(size / 2));
    EXPECT_EQ(hasher.finish(), change_digest(bytes, key)) << size;
  }
}

}  // namespace
}  // namespace otto::graph
