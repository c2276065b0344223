// The modes that matter to whoever types next; others are left to themselves. Numbers as in xterm's ctlseqs.
#include "cli/terminal/screen_modes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr int kCursor = 25;
// Cursor keys; the alternate screen in its three forms; mouse; focus; pasting.
constexpr int kWatched[] = {1, 47, 1047, 1049, 9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 2004};
constexpr std::size_t kLongest = 64;

}  // namespace

void ScreenModes::watch(std::string_view output) {
  for (const char c : output) {
    if (c == '\x1b') {
      at_ = At::kEscape;
    } else if (at_ == At::kEscape) {
      at_ = c == '[' ? At::kBracket : At::kText;
      if (c == '=' || c == '>') keypad_ = c == '=';
    } else if (at_ == At::kBracket) {
      at_ = c == '?' ? At::kPrivate : At::kText;
      numbers_.clear();
    } else if (at_ == At::kPrivate) {
      if ((c >= '0' && c <= '9') || c == ';') {
        if (numbers_.size() < kLongest) numbers_ += c;
      } else {
        end_sequence(c);
        at_ = At::kText;
      }
    }
  }
}

void ScreenModes::end_sequence(char last) {
  if (last != 'h' && last != 'l') return;
  const bool on = last == 'h';
  for (const std::string& word : text::split(numbers_, ';')) {
    int mode = 0;
    std::from_chars(word.data(), word.data() + word.size(), mode);
    if (mode == kCursor) cursor_off_ = !on;
    if (std::ranges::find(kWatched, mode) == std::end(kWatched)) continue;
    if (on) {
      on_.insert(mode);
    } else {
      on_.erase(mode);
    }
  }
}

std::string ScreenModes::undo() const {
  std::string out;
  for (const int mode : on_) out += fmt::format("\x1b[?{}l", mode);
  if (cursor_off_) out += "\x1b[?25h";
  if (keypad_) out += "\x1b>";
  if (!out.empty()) out += "\x1b[m";
  return out;
}

}  // namespace otto::cli
