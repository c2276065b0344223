// The two digests: SHA-256 is identity between machines, keyed XXH3-128 answers "did it change since I last looked?".
//
// Hashers for streams and one-shot helpers. Must not know files or nodes. Values and single-thread objects only.
// SHA-256 by OpenSSL's EVP because it uses SHA-NI (coreutils' own does not); XXH3 with a 192-byte secret kept in the
// database and never exported, so that nobody can prepare two contents that it confuses.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace otto::graph {

/// SHA-256 (FIPS 180-4), 32 bytes.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  [[nodiscard]] std::string hex() const;
  /// The first 40 hex digits: what a tag carries.
  [[nodiscard]] std::string tag() const { return hex().substr(0, 40); }
  /// The 32 bytes as they are, borrowed.
  [[nodiscard]] std::string_view raw() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  static std::optional<Digest> from_hex(std::string_view hex);
};

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  /// The digest of all bytes so far; the hasher starts anew.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view bytes);

/// XXH3-128 with a secret (xxhash.h, XXH3_128bits_withSecret).
struct ChangeDigest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const ChangeDigest&) const = default;
};

/// The secret of one database: 192 random bytes.
struct ChangeKey {
  std::array<std::uint8_t, 192> bytes{};
  static ChangeKey random();
};

class ChangeHasher {
 public:
  explicit ChangeHasher(const ChangeKey& key);  ///< borrows `key`
  ~ChangeHasher();
  ChangeHasher(ChangeHasher&&) noexcept;
  void update(std::string_view bytes);
  ChangeDigest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

ChangeDigest change_digest(std::string_view bytes, const ChangeKey& key);
/// XXH3-128 without a secret: tells damaged bytes from whole ones, nothing more.
ChangeDigest checksum(std::string_view bytes);

}  // namespace otto::graph
