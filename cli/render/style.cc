#include "cli/render/style.h"

#include <fmt/format.h>

namespace otto::cli {

std::string Style::paint(Paint paint, std::string_view text) const {
  if (!color || paint == Paint::kNone || text.empty()) return std::string(text);
  int code = 0;
  switch (paint) {
    case Paint::kNone: break;
    case Paint::kBold: code = 1; break;
    case Paint::kDim: code = 2; break;
    case Paint::kRed: code = 31; break;
    case Paint::kGreen: code = 32; break;
    case Paint::kYellow: code = 33; break;
    case Paint::kCyan: code = 36; break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace otto::cli
