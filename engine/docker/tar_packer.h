// Packs entries of a local tree into a pax tar stream, hashing each file as it is read.
//
// A file whose bytes are not those of its entry gives kInputsChanged: what is packed is what was fingerprinted or
// nothing. Names of any bytes, nanosecond mtimes, files of any size; memory does not grow with them. Wraps libarchive.
// Must not know who reads the stream. An object belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/docker/stage_codec.h"
#include "graph/context_manifest.h"

namespace otto::docker {

/// Where the entry of a path lies on this machine.
using SourceLocator = std::function<std::filesystem::path(const std::string& path)>;

class TarPacker {
 public:
  TarPacker(SourceLocator locate, ByteSink sink, std::stop_token stop);
  ~TarPacker();

  struct Member {
    std::string name;                            ///< in the archive
    const graph::ContextEntry* entry = nullptr;  ///< borrowed; read where `locate` says
    std::int64_t seconds = 0;
    unsigned nanoseconds = 0;
  };
  /// kInputsChanged naming the path; kIo where it cannot be read; kInterrupted; the sink's errors.
  Result<void> add(const Member& member);
  /// An empty regular file that stands for nothing in the source.
  Result<void> add_mark(const std::string& name);
  /// The end of the archive; without it the stream is visibly cut.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otto::docker
