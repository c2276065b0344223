// Any bytes as a stored context manifest, bare and behind a right checksum: a manifest that is stored again alike and
// does not differ from itself, or nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "graph/base/result.h"
#include "graph/context_manifest.h"
#include "graph/fingerprint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otto::graph;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_manifest(bytes));

  const std::string empty = serialize(ContextManifest{});
  std::string_view head = empty;
  std::string stored;
  append_field(stored, *take_field(head));
  const Digest sum = sha256(bytes);
  append_field(stored, {reinterpret_cast<const char*>(sum.bytes.data()), sum.bytes.size()});
  stored += bytes;
  const auto manifest = parse_manifest(stored);
  if (!manifest) return 0;
  const auto again = parse_manifest(serialize(*manifest));
  OTTO_CHECK(again && again->hash() == manifest->hash() && diff(*manifest, *again).empty());
  for (const ContextEntry& entry : manifest->entries) OTTO_CHECK(manifest->find(entry.path) == &entry);
  return 0;
}
