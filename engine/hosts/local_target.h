// The destination of a get on this machine: DEST as scp takes it, and a private folder beside it where all is
// collected.
//
// The folder (0700) lies in the destination's directory, so that install() only renames; destroying the object removes
// it with what is left in it. Merging into directories that are there never goes through a symbolic link below DEST.
// What must not be replaced is written to instead, as scp does it: a device or FIFO gets the bytes as they come, a file
// in a directory that is closed to the user, or one that is mounted, gets them once they are whole.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "graph/base/fd.h"
#include "graph/base/result.h"

namespace otto::hosts {

/// Writes all of it to a descriptor that may be a pipe or terminal which nobody reads for a while. kIo naming `path`;
/// kInterrupted.
Result<void> write_to_stream(const Fd& stream, std::string_view bytes, const std::string& path,
                             const std::stop_token& stop);

class LocalTarget {
 public:
  /// Changes nothing yet. kIo where DEST cannot be what it must.
  static Result<LocalTarget> resolve(std::string_view dest, bool must_be_directory);
  LocalTarget(LocalTarget&&) noexcept;
  LocalTarget& operator=(LocalTarget&&) = delete;
  ~LocalTarget();

  /// Whether DEST is a device, a FIFO or a descriptor of this process (/dev/stdout): one file's bytes go to
  /// open_stream().
  [[nodiscard]] bool streams() const { return placing_ == Placing::kStream; }
  /// Waits for a FIFO's reader. kIo; kInterrupted.
  Result<Fd> open_stream(const std::stop_token& stop) const;

  /// Makes the folder, and DEST where it must be a directory. kIo.
  Result<void> prepare();
  /// Absolute, free of links; what is to be installed goes there under its own name.
  [[nodiscard]] std::string root() const { return folder_ + "/s"; }
  /// Moves what lies in root() to its place. `name`: the only source's own name, "" for its contents. kIo: what was
  /// moved before stays.
  Result<void> install(std::string_view name, const std::stop_token& stop = {});

 private:
  /// kWrite: renaming in DEST's directory is not allowed, writing to the file is.
  enum class Placing { kRename, kWrite, kStream };

  LocalTarget() = default;
  Placing placing_ = Placing::kRename;
  std::string directory_;  ///< where copies go, or where `name_` goes
  std::string name_;       ///< empty: into the directory
  std::string folder_;
  bool make_directory_ = false;
};

}  // namespace otto::hosts
