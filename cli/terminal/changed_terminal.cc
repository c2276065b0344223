// TCSADRAIN on the way into raw, so that nothing typed ahead is lost; TCSAFLUSH else.
#include "cli/terminal/changed_terminal.h"

#include <termios.h>

#include <atomic>

namespace otto::cli {
namespace {

// The terminal that is changed, and how it was before: read by restore_now() on another thread.
std::atomic<int> changed_fd{-1};
termios settings_before{};

}  // namespace

ChangedTerminal::ChangedTerminal(int fd, To to) {
  if (::tcgetattr(fd, &settings_before) != 0) return;
  termios settings = settings_before;
  if (to == To::kRaw) {
    ::cfmakeraw(&settings);
  } else {
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  }
  changed_fd = fd;
  ok_ = ::tcsetattr(fd, to == To::kRaw ? TCSADRAIN : TCSAFLUSH, &settings) == 0;
}

ChangedTerminal::~ChangedTerminal() { restore_now(); }

void ChangedTerminal::restore_now() {
  if (const int fd = changed_fd.exchange(-1); fd >= 0) ::tcsetattr(fd, TCSAFLUSH, &settings_before);
}

}  // namespace otto::cli
