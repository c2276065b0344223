// A private temporary directory that tests fill with files of every kind; removed with the object, whatever is in it.
//
// Paths are relative to the root. Every function aborts the test program where the system refuses, so that a test
// never runs on a tree that it did not get. For one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace otto::testing {

class TempTree {
 public:
  TempTree();
  ~TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path path(std::string_view relative) const;

  /// Writes a file, making its directories; an existing file keeps its inode.
  void write(std::string_view relative, std::string_view bytes, mode_t mode = 0644);
  void make_directory(std::string_view relative, mode_t mode = 0755);
  void symlink(std::string_view relative, std::string_view target);
  void fifo(std::string_view relative);
  void socket(std::string_view relative);
  void chmod(std::string_view relative, mode_t mode);
  void remove(std::string_view relative);
  void rename(std::string_view from, std::string_view to);
  void set_mtime(std::string_view relative, std::int64_t ns);
  [[nodiscard]] std::int64_t mtime(std::string_view relative) const;
  [[nodiscard]] std::int64_t ctime(std::string_view relative) const;

 private:
  std::filesystem::path root_;
};

/// Runs `work` in a child process that is not root (in place where this one is not) and gives what it returned, 0 …
/// 100. The directories above what it uses must be open to others.
int run_unprivileged(const std::function<int()>& work);

}  // namespace otto::testing
