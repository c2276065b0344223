// The live display: a block of lines at the bottom of the terminal, redrawn in place; what is finished stays above it.
//
// Everything is written by tick(), at most 12 times a second, in one write each: first the lines that stay, then the
// block. Nothing live is drawn in the first 90 ms, so short commands leave no flicker. The block remembers how wide its
// lines were, so that a terminal made narrower (which wraps them) is still cleaned. tick() runs on the display's own
// thread, or is called by a test with a clock of its own.
#pragma once

#include <condition_variable>
#include <string>
#include <thread>
#include <vector>

#include "cli/render/progress.h"
#include "graph/base/sync.h"

namespace otto::cli {

class TtyProgress : public Progress {
 public:
  enum class Ticks { kOwnThread, kByCaller };
  TtyProgress(ProgressSetup setup, Ticks ticks);
  ~TtyProgress() override;

  void report(const Event& event) override;
  void suspend() override;
  void resume() override;
  void finish() override;
  /// Writes what is due now.
  void tick();

 private:
  struct State {
    ProgressModel model;
    std::string lasting;             ///< lines that stay, not yet written
    std::vector<std::size_t> drawn;  ///< widths of the block's lines on the screen
    int suspended = 0;
    bool finished = false;
  };
  void draw(State& state);
  void clear(State& state);
  std::string rewind(State& state, std::size_t columns) const;

  ProgressSetup setup_;
  Sync<State> state_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

/// Whether a live display has hidden the cursor: for the way out that takes no lock.
bool cursor_is_hidden();
inline constexpr std::string_view kShowCursor = "\x1b[?25h";

}  // namespace otto::cli
