// The system calls of the walk: opening a directory of any depth, listing its names.
//
// Directories are opened from the root by their relative path, so a thread holds one descriptor whatever the size or
// depth of the tree; a path longer than the kernel takes is opened in stretches. A walk goes from a directory to what
// lies below it, so the last one opened is kept to start from. Must not know rules, stats or digests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace otto::context {

/// For one thread.
class DirectoryOpener {
 public:
  /// Borrows `root`.
  explicit DirectoryOpener(int root) : root_(root) {}
  ~DirectoryOpener();
  DirectoryOpener(const DirectoryOpener&) = delete;
  DirectoryOpener& operator=(const DirectoryOpener&) = delete;

  /// The directory at `path` below the root ("" is the root itself), never through a symlink at its end; it stays open
  /// until the next call. -1 on failure, with errno set.
  int open(std::string_view path);

 private:
  void keep(int fd, std::string_view path);

  /// Not listed by anyone else meanwhile: a descriptor has one position.
  int root_;
  int last_ = -1;  ///< may be good for opening only, where it is a stretch's end: that was listed long before
  std::string last_path_;
};

/// What a listing says of a name without asking for its stat.
enum class ListedType { kUnknown, kDirectory, kFile, kOther };

/// Scratch of list_names, kept by the caller to save allocations; made when first used.
using ListingBuffer = std::unique_ptr<char[]>;

/// Calls `found(name, type)` for each name but "." and ".."; the name lives for the call. Returns 0 or the error
/// number.
int list_names(int directory, ListingBuffer& buffer, const std::function<void(std::string_view, ListedType)>& found);

/// Is it a network file system (or FUSE, which may be one)?
bool is_remote(int directory);

}  // namespace otto::context
