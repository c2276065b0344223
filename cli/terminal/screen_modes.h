// What a remote program has switched on in the user's terminal, so that it can be switched off when the program is cut.
//
// A program that ends by itself leaves the screen as it found it; one that is left with Ctrl-], or lost with its
// connection, would leave the alternate screen, mouse reports and the like behind. Reads the DEC private modes
// (CSI ? n h and l) out of the output that passes by; knows nothing of terminals otherwise. Pure but for its state.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace otto::cli {

class ScreenModes {
 public:
  void watch(std::string_view output);
  /// What puts the terminal back; "" where nothing is to be put back.
  [[nodiscard]] std::string undo() const;

 private:
  enum class At { kText, kEscape, kBracket, kPrivate };
  void end_sequence(char last);

  At at_ = At::kText;
  std::string numbers_;
  std::set<int> on_;         ///< modes that are off by default
  bool cursor_off_ = false;  ///< mode 25, which is on by default
  bool keypad_ = false;      ///< ESC =
};

}  // namespace otto::cli
