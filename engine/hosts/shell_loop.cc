#include <fmt/format.h>

#include "engine/hosts/persistent_shell.h"
#include "engine/hosts/scripts.h"
#include "engine/hosts/shell_host.h"
#include "graph/base/text.h"
#include "transport/bootstrap.h"

namespace otto::hosts {

std::string shell_loop(std::string_view mark, std::string_view lines) {
  return fmt::format("otto_mark={} otto_lines={}\n{}", mark, text::shell_quote(lines), kLoopScript);
}

std::string command_lines(const std::vector<std::string>& commands, bool last) {
  std::string lines;
  for (const std::string& command : commands) lines += '+' + transport::encode_script(as_no_option(command));
  return lines + (last ? ".\nq\n" : ".\n");
}

std::string_view interrupt_script() { return kInterruptScript; }

MarkScanner::Piece MarkScanner::next() {
  Piece piece;
  const std::size_t at = held_.find(mark_);
  if (at == std::string::npos) {
    std::size_t kept = std::min(mark_.size() - 1, held_.size());
    while (kept > 0 && !held_.ends_with(std::string_view(mark_).substr(0, kept))) --kept;
    piece.bytes = held_.substr(0, held_.size() - kept);
    held_.erase(0, piece.bytes.size());
    return piece;
  }
  std::size_t end = at + mark_.size();
  for (std::size_t i = 0; i < fields_; ++i) {
    const std::size_t semicolon = held_.find(';', end);
    if (semicolon == std::string::npos) {  // the rest of the mark is on its way
      piece.bytes = held_.substr(0, at);
      piece.fields.clear();
      held_.erase(0, at);
      return piece;
    }
    piece.fields.push_back(held_.substr(end, semicolon - end));
    end = semicolon + 1;
  }
  piece.marked = true;
  piece.bytes = held_.substr(0, at);
  held_.erase(0, end);
  return piece;
}

}  // namespace otto::hosts
