// Any bytes as a stored stat manifest, bare and behind a right checksum: a manifest that is stored again alike, or
// nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cache/stat_manifest.h"
#include "graph/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otto;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(cache::parse_stat_manifest(bytes));

  const std::string empty = cache::serialize({});
  std::string stored = empty.substr(0, empty.find('\n') + 1);
  const graph::ChangeDigest sum = graph::checksum(bytes);
  stored.append(reinterpret_cast<const char*>(&sum.high), sizeof sum.high);
  stored.append(reinterpret_cast<const char*>(&sum.low), sizeof sum.low);
  stored += bytes;
  const auto manifest = cache::parse_stat_manifest(stored);
  if (!manifest) return 0;
  const auto again = cache::parse_stat_manifest(cache::serialize(*manifest));
  OTTO_CHECK(again && again->entries == manifest->entries);
  return 0;
}
