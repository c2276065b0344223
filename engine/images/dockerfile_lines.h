// A Dockerfile as logical lines: directives read, comments dropped, continuations joined, heredoc bodies passed over.
//
// Follows BuildKit's parser (frontend/dockerfile/parser): a continuation survives comment and empty lines, `# escape=`
// is read only before anything else, heredocs begin only in RUN, COPY and ADD. Must not know what instructions mean.
// Every character keeps its offset in the file, so that a reference found in a joined line can be replaced in the
// original.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::images {

struct LogicalLine {
  std::string text;
  std::vector<std::size_t> origin;  ///< of each character of `text` in the file
  unsigned line = 0;                ///< of its first physical line, 1-based
  std::size_t end = 0;              ///< after its last byte in the file, here-documents included
  bool heredoc = false;             ///< it has one
};

struct DockerfileLines {
  char escape = '\\';
  std::vector<LogicalLine> lines;
};

/// kConfig "FILE:LINE: …" for an unknown escape character and for a heredoc that is not closed.
Result<DockerfileLines> read_dockerfile_lines(std::string_view text, std::string_view file_name);

}  // namespace otto::images
