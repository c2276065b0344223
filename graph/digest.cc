#include "graph/digest.h"

#define XXH_STATIC_LINKING_ONLY
#include <openssl/evp.h>
#include <openssl/rand.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the widest vectors that the processor has; stands in for the names of xxhash.h
#else
#include <xxhash.h>
#endif

#include "graph/base/result.h"
#include "graph/base/text.h"

namespace otto::graph {

std::string Digest::hex() const { return text::to_hex(bytes); }

std::optional<Digest> Digest::from_hex(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  const auto nibble = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

namespace {

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  OTTO_CHECK(algorithm != nullptr);
  return algorithm;
}

}  // namespace

Sha256::Sha256() : state_(std::make_unique<State>()) {
  OTTO_CHECK(state_->context != nullptr);
  OTTO_CHECK(EVP_DigestInit_ex2(state_->context, sha256_algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  OTTO_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  OTTO_CHECK(EVP_DigestFinal_ex(state_->context, digest.bytes.data(), nullptr) == 1);
  OTTO_CHECK(EVP_DigestInit_ex2(state_->context, nullptr, nullptr) == 1);
  return digest;
}

Digest sha256(std::string_view bytes) {
  thread_local Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

ChangeKey ChangeKey::random() {
  ChangeKey key;
  OTTO_CHECK(RAND_bytes(key.bytes.data(), static_cast<int>(key.bytes.size())) == 1);
  return key;
}

struct ChangeHasher::State {
  explicit State(const ChangeKey& change_key) : key(change_key) { reset(); }
  ~State() { XXH3_freeState(state); }
  void reset() { OTTO_CHECK(XXH3_128bits_reset_withSecret(state, key.bytes.data(), key.bytes.size()) == XXH_OK); }
  const ChangeKey& key;
  XXH3_state_t* state = XXH3_createState();
};

ChangeHasher::ChangeHasher(const ChangeKey& key) : state_(std::make_unique<State>(key)) {}
ChangeHasher::~ChangeHasher() = default;
ChangeHasher::ChangeHasher(ChangeHasher&&) noexcept = default;

void ChangeHasher::update(std::string_view bytes) {
  OTTO_CHECK(XXH3_128bits_update(state_->state, bytes.data(), bytes.size()) == XXH_OK);
}

ChangeDigest ChangeHasher::finish() {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->state);
  state_->reset();
  return {hash.high64, hash.low64};
}

ChangeDigest change_digest(std::string_view bytes, const ChangeKey& key) {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(bytes.data(), bytes.size(), key.bytes.data(), key.bytes.size());
  return {hash.high64, hash.low64};
}

ChangeDigest checksum(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

}  // namespace otto::graph
