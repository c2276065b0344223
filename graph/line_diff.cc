#include "graph/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "graph/base/text.h"

namespace otto::graph {

namespace {

constexpr std::size_t kMaxCells = 1'000'000;  // beyond, everything between the ends counts as replaced
constexpr std::size_t kMaxLine = 200;

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
  Lines lines = text::split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

class LineDiff {
 public:
  LineDiff(std::string_view before, std::string_view now) : before_(lines_of(before)), now_(lines_of(now)) {
    const std::size_t shorter = std::min(before_.size(), now_.size());
    while (head_ < shorter && before_[head_] == now_[head_]) ++head_;
    while (tail_ < shorter - head_ && before_[before_.size() - 1 - tail_] == now_[now_.size() - 1 - tail_]) ++tail_;
    rows_ = before_.size() - head_ - tail_;
    columns_ = now_.size() - head_ - tail_;
  }

  Lines operator()() {
    const bool bounded = rows_ == 0 || columns_ <= kMaxCells / rows_;
    if (bounded) fill();
    std::size_t i = 0, j = 0;
    while (i < rows_ || j < columns_) {
      if (bounded && i < rows_ && j < columns_ && before_[head_ + i] == now_[head_ + j]) {
        ++i, ++j;
      } else if (j == columns_ || (i < rows_ && (!bounded || common(i + 1, j) >= common(i, j + 1)))) {
        tell('-', before_, i++);
      } else {
        tell('+', now_, j++);
      }
    }
    return std::move(changes_);
  }

 private:
  /// Length of the longest common subsequence of what follows.
  std::uint32_t& common(std::size_t i, std::size_t j) { return table_[i * (columns_ + 1) + j]; }

  void fill() {
    table_.assign((rows_ + 1) * (columns_ + 1), 0);
    for (std::size_t i = rows_; i-- > 0;) {
      for (std::size_t j = columns_; j-- > 0;) {
        common(i, j) = before_[head_ + i] == now_[head_ + j] ? common(i + 1, j + 1) + 1
                                                             : std::max(common(i + 1, j), common(i, j + 1));
      }
    }
  }

  void tell(char sign, const Lines& lines, std::size_t index) {
    std::string line = text::printable(lines[head_ + index]);
    if (line.size() > kMaxLine) line = text::printable(line.substr(0, kMaxLine)) + "…";
    changes_.push_back(fmt::format("{} {}: {}", sign, head_ + index + 1, line));
  }

  const Lines before_, now_;
  std::size_t head_ = 0, tail_ = 0, rows_ = 0, columns_ = 0;
  std::vector<std::uint32_t> table_;
  Lines changes_;
};

}  // namespace

std::string describe_line_changes(std::string_view before, std::string_view now, std::size_t limit) {
  Lines changes = LineDiff(before, now)();
  if (changes.size() > limit) {
    const std::size_t more = changes.size() - limit;
    changes.resize(limit);
    changes.push_back(fmt::format("… and {} more line{}", more, more == 1 ? "" : "s"));
  }
  return text::join(changes, "\n");
}

}  // namespace otto::graph
