// Paths that are normal as they are written: what std::filesystem::path takes part by part to find out costs too much
// for the thousands of paths of a large repo.
#pragma once

#include <string_view>

namespace otto::config {

/// `path` has no part that is empty or begins with a dot, its root apart: lexically_normal() would not change it.
inline bool is_plain_path(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return !path.empty() && path.front() != '.' && path.front() != '/' && path.back() != '/' &&
         path.find("/.") == std::string_view::npos && path.find("//") == std::string_view::npos;
}

}  // namespace otto::config
