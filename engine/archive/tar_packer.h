// Packs entries of a local tree into a pax tar stream, hashing each file as it is read.
//
// A file whose bytes are not those of its entry gives kInputsChanged: what is packed is what was fingerprinted or
// nothing. Names of any bytes, nanosecond mtimes, files of any size; memory does not grow with them.
// Must not know who reads the stream. An object belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/archive/source_file.h"
#include "graph/context_manifest.h"

namespace otto::archive {

class TarPacker {
 public:
  TarPacker(SourceLocator locate, ByteSink sink, std::stop_token stop);
  ~TarPacker();

  struct Member {
    std::string name;                            ///< in the archive
    const graph::ContextEntry* entry = nullptr;  ///< borrowed; read where `locate` says
    std::int64_t seconds = 0;
    unsigned nanoseconds = 0;
    std::function<void(std::string_view bytes)> on_content = {};  ///< sees a file's bytes as they are packed
  };
  /// A directory is packed with all bits of its owner. kInputsChanged naming the path; kIo where it cannot be read;
  /// kInterrupted; the sink's errors.
  Result<void> add(const Member& member);
  /// Another name for what lies at `target` where the archive is unpacked.
  Result<void> add_link(const std::string& name, const std::string& target);
  /// A regular file that stands for nothing in the source.
  Result<void> add_data(const std::string& name, std::string_view bytes);
  /// The end of the archive; without it the stream is visibly cut.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otto::archive
