// Compression of what is sent to a stage and of the manifests that come back, in the formats parents can read.
//
// Wraps libarchive's filters (zstd, gzip), so that one wrapper serves both. Must not know what the bytes are. An object
// belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "graph/base/result.h"

namespace otto::archive {

/// Takes bytes in order; its error ends the stream and is what the writer returns.
using ByteSink = std::function<Result<void>(std::string_view bytes)>;

enum class Codec { kNone, kGzip, kZstd };
/// "none", "gzip", "zstd": as the parent's script knows them.
std::string_view codec_name(Codec codec);

/// Compresses fast rather than well. kIo where the library fails, else the sink's errors.
class Compressor {
 public:
  Compressor(Codec codec, ByteSink sink);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The plain bytes of a whole gzip or zstd stream, `limit` at most. kIo.
Result<std::string> decompress(std::string_view bytes, std::uint64_t limit);

}  // namespace otto::archive
