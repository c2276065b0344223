// A tar stream written member by member, into a sink. Wraps libarchive's writer.
//
// Names and link targets of any bytes, files of any size. Must not know where members come from. An object belongs to
// one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/archive/codec.h"
#include "graph/context_manifest.h"

namespace otto::archive {

/// What each is read by: pax everywhere but in busybox, which takes long names and large files as GNU tar had them.
enum class TarFormat { kPax, kGnu };

/// A run of bytes of a file, at `offset`.
struct DataRun {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct TarHeader {
  std::string name;
  graph::EntryType type = graph::EntryType::kFile;
  std::uint64_t size = 0;
  unsigned mode = 0644;
  std::string target = {};  ///< of a symlink
  std::int64_t seconds = 0;
  unsigned nanoseconds = 0;
  /// kPax, of a sparse file: what is not hole, in order; holes are passed to data() as zeros and do not travel. Only
  /// GNU tar and libarchive unpack such a member.
  std::vector<DataRun> data = {};
};

class TarWriter {
 public:
  TarWriter(TarFormat format, ByteSink sink);
  ~TarWriter();

  /// The member's bytes follow by data(), `size` in all. kIo; the sink's errors.
  Result<void> header(const TarHeader& header);
  Result<void> data(std::string_view bytes);
  /// Another name for what lies at `target` where the archive is unpacked.
  Result<void> link(const std::string& name, const std::string& target);
  /// The end of the archive; without it the stream is visibly cut.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otto::archive
