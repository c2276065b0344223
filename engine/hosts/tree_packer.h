// Packs files and whole trees of this machine into one tar stream, as they are found.
//
// Symbolic links are kept, but one named as the source itself is followed, as scp and cp do; hard links become files of
// their own; sockets, FIFOs and devices are left out with a warning. Descends by descriptors and never through a link,
// so a tree that changes meanwhile cannot lead outside of itself. Unlike docker/tar_packer it knows no manifest: what
// is there is sent. An object belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/docker/tar_writer.h"

namespace otto::hosts {

using Warner = std::function<void(std::string message)>;

class TreePacker {
 public:
  TreePacker(docker::ByteSink sink, Warner warn, std::stop_token stop);

  /// kIo naming the path that cannot be read; kInputsChanged for a file cut short meanwhile; the sink's errors.
  Result<void> add(const std::string& path, const std::string& name);
  /// An empty file that says: everything before it is there.
  Result<void> add_mark(const std::string& name);
  Result<void> finish() { return writer_.finish(); }
  [[nodiscard]] std::uint64_t files() const { return files_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Place;
  Result<void> add_at(const Place& place, bool follow);
  Result<void> add_directory(const Place& place);
  Result<void> add_file(const Place& place);
  Result<void> add_symlink(const Place& place, std::size_t size);
  Result<void> add_content(const Place& place, int fd, std::uint64_t size);

  docker::TarWriter writer_;
  Warner warn_;
  std::stop_token stop_;
  std::vector<char> block_;
  std::uint64_t files_ = 0, bytes_ = 0;
};

/// The sum of the sizes of all files below the paths, for progress only; stops early where asked to.
std::uint64_t total_size(const std::vector<std::string>& paths, const std::stop_token& stop);

}  // namespace otto::hosts
