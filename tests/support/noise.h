// Bytes that do not compress, the same ones for the same seed.
#pragma once

#include <cstdint>
#include <string>

namespace otto {

inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes;
  bytes.reserve(size);
  seed = seed * 0x9e3779b97f4a7c15U + 1;
  while (bytes.size() < size) {
    seed ^= seed << 13U, seed ^= seed >> 7U, seed ^= seed << 17U;
    bytes += static_cast<char>(seed >> 32U);
  }
  return bytes;
}

}  // namespace otto
