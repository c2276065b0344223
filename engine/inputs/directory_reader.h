// The system calls of the walk: opening a directory of any depth, listing its names.
//
// Directories are opened from the root by their relative path, so a thread holds one descriptor whatever the size or
// depth of the tree; a path longer than the kernel takes is opened in stretches. Must not know rules, stats or digests.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace otto::inputs {

class DirectoryHandle {
 public:
  /// Opens `path` below `root` ("" is the root itself), never through a symlink at its end; get() is -1 on failure,
  /// with errno set.
  DirectoryHandle(int root, std::string_view path);
  ~DirectoryHandle();
  DirectoryHandle(const DirectoryHandle&) = delete;
  DirectoryHandle& operator=(const DirectoryHandle&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// What a listing says of a name without asking for its stat.
enum class ListedType { kUnknown, kDirectory, kOther };

/// Calls `found(name, type)` for each name but "." and ".."; the name lives for the call. Returns 0 or the error
/// number. `buffer` is scratch, kept by the caller to save allocations.
int list_names(int directory, std::string& buffer, const std::function<void(std::string_view, ListedType)>& found);

/// Is it a network file system (or FUSE, which may be one)?
bool is_remote(int directory);

}  // namespace otto::inputs
