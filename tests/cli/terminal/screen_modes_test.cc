#include "cli/terminal/screen_modes.h"

#include <gtest/gtest.h>

namespace otto::cli {
namespace {

std::string undo_after(std::string_view output) {
  ScreenModes modes;
  modes.watch(output);
  return modes.undo();
}

TEST(ScreenModes, NothingToPutBack) {
  EXPECT_EQ(undo_after("plain \x1b[1mbold\x1b[m text, 100% ?1049h"), "");
  EXPECT_EQ(undo_after("\x1b[?1049h in an editor \x1b[?1049l"), "");
  EXPECT_EQ(undo_after("\x1b[?25l\x1b[?25h"), "");
}

TEST(ScreenModes, WhatAnEditorSwitchedOnIsSwitchedOff) {
  EXPECT_EQ(undo_after("\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l"), "\x1b[?1l\x1b[?1049l\x1b[?25h\x1b>\x1b[m");
  EXPECT_EQ(undo_after("\x1b[?1000;1006h\x1b[?2004h"), "\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[m");
}

TEST(ScreenModes, PiecesAndUnknownModes) {
  ScreenModes modes;
  for (const char c : std::string_view("\x1b[?12;1049h\x1b[?99999999999999999999999h\x1b[?")) modes.watch({&c, 1});
  EXPECT_EQ(modes.undo(), "\x1b[?1049l\x1b[m");
}

}  // namespace
}  // namespace otto::cli
