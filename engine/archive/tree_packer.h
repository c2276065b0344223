// Packs files and whole trees of this machine into one tar stream, as they are found.
//
// Symbolic links are kept, but one named as the source itself is followed, as scp and cp do; hard links become files of
// their own; sockets, FIFOs and devices are left out with a warning. Descends by descriptors and never through a link,
// so a tree that changes meanwhile cannot lead outside of itself. Holes travel as holes where the format can say so.
// Unlike tar_packer.h it knows no manifest: what is there is sent. An object belongs to one thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/archive/tar_writer.h"
#include "graph/base/fd.h"

namespace otto::archive {

using Warner = std::function<void(std::string message)>;

class TreePacker {
 public:
  /// kPax keeps the holes of sparse files, for hosts with GNU tar only; kGnu is read everywhere.
  TreePacker(TarFormat format, ByteSink sink, Warner warn, std::stop_token stop);

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
  Result<void> add_content(const Place& place, int fd, std::uint64_t from, std::uint64_t to);
  Result<void> add_sparse(const Place& place, int fd, std::uint64_t size);

  TarFormat format_;
  TarWriter writer_;
  Warner warn_;
  std::stop_token stop_;
  std::vector<char> block_;
  std::uint64_t files_ = 0, bytes_ = 0;
};

/// kIo with its mend: what errno says of a path to be put.
Error cannot_read(const std::string& path);

/// A file without blocks on a disk may be one whose length the kernel does not know (/proc, /sys): it is read to its
/// end into memory, which then stands in its place, with its length in `facts`. Others stay as they are. kIo, also for
/// what goes on after 64 MB; kInterrupted.
Result<void> settle_length(Fd& file, struct stat& facts, const std::string& path, const std::stop_token& stop);

/// Whether much of a file is holes.
bool is_sparse(const struct stat& facts);

/// What lies below some paths.
struct Survey {
  std::uint64_t bytes = 0;   ///< of all files, their holes too
  std::uint64_t packed = 0;  ///< the same without the holes of sparse files
  bool sparse = false;       ///< there is a sparse file
};
/// For progress and the choice of a format only; stops early where asked to.
Survey survey(const std::vector<std::string>& paths, const std::stop_token& stop);

}  // namespace otto::archive
