#include "cli/render/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "graph/base/text.h"

namespace otto::cli {
namespace {

using Range = std::pair<char32_t, char32_t>;

// Unicode 15: the ranges that occur in names and build output; not the whole of East Asian Width.
constexpr std::array<Range, 8> kZeroWidth = {{{0x300, 0x36f},
                                              {0x483, 0x489},
                                              {0x591, 0x5bd},
                                              {0x200b, 0x200f},
                                              {0x202a, 0x202e},
                                              {0x20d0, 0x20f0},
                                              {0xfe00, 0xfe0f},
                                              {0xfeff, 0xfeff}}};
constexpr std::array<Range, 10> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0xa4cf},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1f9ff},
                                          {0x20000, 0x3fffd}}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range range) { return c >= range.first && c <= range.second; });
}

struct CodePoint {
  std::size_t length;  ///< bytes
  std::size_t width;   ///< columns
};

/// The character at the head of `text`, which is valid UTF-8; a stray byte counts as one column.
CodePoint head(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 1 || length > text.size() || lead < 0xc0) return {1, 1};
  char32_t c = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (static_cast<unsigned char>(text[i]) & 0x3f);
  return {length, within(kZeroWidth, c) ? 0U : within(kWide, c) ? 2U : 1U};
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = head(text);
    width += point.width;
    text.remove_prefix(point.length);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width, const Style& style) {
  if (display_width(text) <= width) return std::string(text);
  const std::string_view mark = style.ellipsis();
  const std::size_t room = width > display_width(mark) ? width - display_width(mark) : 0;
  std::size_t used = 0, bytes = 0;
  while (bytes < text.size()) {
    const CodePoint point = head(text.substr(bytes));
    if (used + point.width > room) break;
    used += point.width;
    bytes += point.length;
  }
  return room == 0 ? std::string(width, '.') : std::string(text.substr(0, bytes)).append(mark);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text::printable(text)) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else {
      line += c;
    }
  }
  return line;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                  const Style& style) {
  std::vector<std::vector<Cell>> all;
  if (!header.empty()) {
    auto& cells = all.emplace_back();
    for (const std::string& title : header) cells.push_back({title, Paint::kBold});
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size() && i < cells.size(); ++i) cells[i].right |= row[i].right;
    }
  }
  all.insert(all.end(), rows.begin(), rows.end());

  std::vector<std::size_t> widths;
  for (const auto& row : all) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  std::string out;
  for (const auto& row : all) {
    std::size_t pending = 0;  // blanks owed before the next text
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t blanks = widths[i] - display_width(row[i].text);
      if (row[i].right) pending += blanks;
      if (!row[i].text.empty()) {
        out.append(pending, ' ').append(style.paint(row[i].paint, row[i].text));
        pending = 0;
      }
      pending += (row[i].right ? 0 : blanks) + (widths[i] == 0 ? 0 : 2);
    }
    out += '\n';
  }
  return out;
}

void TextPieces::add(std::string_view text) {
  constexpr std::size_t kPiece = 64 << 10;
  piece_ += text;
  if (piece_.size() < kPiece) return;
  print_(piece_);
  piece_.clear();
}

std::string image_reference(std::string_view reference, const Style& style) {
  constexpr std::size_t kHash = 40, kShown = 12;
  const std::size_t colon = reference.rfind(':');
  const bool is_hash = colon != std::string_view::npos && reference.size() - colon - 1 == kHash;
  return one_line(style.short_hashes && is_hash ? reference.substr(0, colon + 1 + kShown) : reference);
}

std::string table_with_notes(const std::vector<std::vector<Cell>>& rows, const std::vector<std::string>& below,
                             const Style& style) {
  const std::string lines = table({}, rows, style);
  std::string out;
  std::size_t begin = 0;
  for (const std::string& note : below) {  // the table has one line a row
    const std::size_t end = lines.find('\n', begin) + 1;
    out.append(lines, begin, end - begin).append(note);
    begin = end;
  }
  return out;
}

}  // namespace otto::cli
