// How text for people is dressed: colour, symbols, and how much of it.
//
// Decided once from the terminal and the options (terminal.h) and passed by value to every renderer, so that each of
// them is a pure function. Knows no report and no stream.
#pragma once

#include <string>
#include <string_view>

namespace otto::cli {

enum class Paint { kNone, kBold, kDim, kRed, kGreen, kYellow, kCyan };

struct Style {
  bool color = false;
  bool utf8 = true;
  bool short_hashes = false;  ///< 12 hex digits instead of 40: on a terminal, without -v
  int verbose = 0;

  /// `text` in that colour, or as it is where there is no colour.
  [[nodiscard]] std::string paint(Paint paint, std::string_view text) const;
  [[nodiscard]] std::string_view check() const { return utf8 ? "✓" : "+"; }
  [[nodiscard]] std::string_view cross() const { return utf8 ? "✗" : "x"; }
  [[nodiscard]] std::string_view ellipsis() const { return utf8 ? "…" : "..."; }
  [[nodiscard]] std::string_view dash() const { return utf8 ? "—" : "-"; }
  [[nodiscard]] std::string_view dot() const { return utf8 ? "·" : "-"; }
};

}  // namespace otto::cli
