// Progress on standard error, in the form the user asked for: live on a terminal, lines, JSON lines, or only what is
// wrong.
//
// Every form is a Reporter: report() may be called from any thread. Data that goes to the same terminal is written
// between suspend() and resume(), or after finish(). Owns its drawing thread; borrows nothing but the functions it is
// given, which must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/render/modes.h"
#include "cli/render/progress_model.h"
#include "cli/render/style.h"
#include "otto/reporter.h"

namespace otto::cli {

class Progress : public Reporter {
 public:
  /// Takes what is drawn off the screen until resume(): something else will be written.
  virtual void suspend() {}
  virtual void resume() {}
  /// Nothing is drawn after this; what has still to be said is said now.
  virtual void finish() {}
};

struct ProgressSetup {
  ProgressMode mode = ProgressMode::kPlain;  ///< never kAuto
  Style style;
  std::string title;                            ///< what the live display shows before the first event: "docker up"
  std::function<void(std::string_view)> write;  ///< to standard error, whole
  std::function<Millis()> clock;                ///< since the command began
  std::function<FrameSize()> screen;            ///< asked before each frame
};

std::unique_ptr<Progress> make_progress(ProgressSetup setup);

/// The line that stays of a finished or failed subject, or of a warning, a notice, a line of build output; "" where
/// nothing stays. `marked`: with a tick or a cross, as in the live display; else as "subject: words".
std::string lasting_line(const Event& event, bool marked, const Style& style);

}  // namespace otto::cli
