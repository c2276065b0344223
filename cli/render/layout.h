// Columns and widths of text for people: what a terminal will show of a string, and tables made of it.
//
// Widths are counted without the C locale, so output is the same everywhere. Cells may carry a colour; it never counts
// as width. Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/render/style.h"

namespace otto::cli {

/// Gathers what is added into pieces worth printing; the last one is printed when it goes.
class TextPieces {
 public:
  /// `print` is borrowed.
  explicit TextPieces(const std::function<void(std::string_view)>& print) : print_(print) {}
  ~TextPieces() { print_(piece_); }
  TextPieces(const TextPieces&) = delete;
  TextPieces& operator=(const TextPieces&) = delete;

  void add(std::string_view text);

 private:
  const std::function<void(std::string_view)>& print_;
  std::string piece_;
};

/// Terminal columns of printable text: 0 for combining marks, 2 for wide characters. Not for text with escapes.
std::size_t display_width(std::string_view text);

/// `text` cut to at most `width` columns, the last of them an ellipsis if something was cut.
std::string cut_to_width(std::string_view text, std::size_t width, const Style& style);

/// Any bytes as one harmless line: printable, with newlines and tabs shown as \n and \t.
std::string one_line(std::string_view text);

/// "12,345".
std::string grouped(std::uint64_t number);

/// "1 file", "3 files".
std::string counted(std::uint64_t number, std::string_view noun);

/// An image reference as it is shown: on a terminal a 40-digit hash tag is cut to 12.
std::string image_reference(std::string_view reference, const Style& style);

struct Cell {
  std::string text;
  Paint paint = Paint::kNone;
  bool right = false;  ///< aligned
};

/// Rows under each other, two blanks between columns, nothing after the last cell that has text. A row may be shorter
/// than others. `header` is shown bold; empty: none.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                  const Style& style);

/// The table without a header, each row followed by its own text of `below` (whole lines; may be empty).
std::string table_with_notes(const std::vector<std::vector<Cell>>& rows, const std::vector<std::string>& below,
                             const Style& style);

}  // namespace otto::cli
