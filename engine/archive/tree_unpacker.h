// Unpacks tar streams from a host into one folder, and nothing outside of it, whatever the streams say.
//
// Member names that are absolute or climb with "..", links to such places, and members that would go through a symbolic
// link are refused (libarchive's SECURE flags and checks of our own); devices are left out with a warning. Owners and
// times are not taken over, permission bits are. Streams may follow one another. One object a folder, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/archive/tree_packer.h"
#include "graph/base/result.h"

namespace otto::archive {

/// The next bytes of the stream, until the next call; "" at its end.
using ByteSource = std::function<std::string_view()>;
/// The place of a member under the folder: its name without leading "./", "." for the root. kIo to refuse it.
using MemberPlacer = std::function<Result<std::string>(const std::string& name)>;

class TreeUnpacker {
 public:
  /// `folder`: absolute, free of links, there.
  TreeUnpacker(std::string folder, MemberPlacer place, Warner warn, std::stop_token stop);

  /// kIo: the stream is cut or no tar, a member is refused, or it cannot be written. kInterrupted.
  Result<void> unpack(const ByteSource& source);
  [[nodiscard]] std::uint64_t files() const { return files_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Streams;
  Result<void> member(Streams& streams);
  Result<void> content(Streams& streams);
  Result<std::string> placed(const std::string& name);

  std::string folder_;
  MemberPlacer place_;
  Warner warn_;
  std::stop_token stop_;
  std::uint64_t files_ = 0, bytes_ = 0;
};

}  // namespace otto::archive
