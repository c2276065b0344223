// Where a configuration value stands, for error messages: file, line and column, 1-based.
#pragma once

#include <fmt/format.h>

#include <string>

namespace otto::config {

struct SourceLocation {
  std::string file;
  unsigned line = 0;  ///< 0: unknown
  unsigned column = 0;

  /// "path:12:3", as compilers print it.
  [[nodiscard]] std::string str() const {
    return line == 0     ? file
           : column == 0 ? fmt::format("{}:{}", file, line)
                         : fmt::format("{}:{}:{}", file, line, column);
  }
};

}  // namespace otto::config
