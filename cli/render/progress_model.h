// What is going on right now, from the engine's events: one row a subject, as the live display shows it.
//
// Time is handed in, so frames are exact in tests. Rows of preparation (connecting, checking, scanning) have no end of
// their own: they go when real work begins. Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/render/style.h"
#include "otto/reporter.h"

namespace otto::cli {

/// A monotonic time in milliseconds.
using Millis = std::uint64_t;

struct ProgressRow {
  std::string subject;
  Phase phase = Phase::kConnecting;
  std::string detail;
  std::uint64_t done = 0, total = 0;
  Millis since = 0;        ///< the subject's first event
  Millis phase_since = 0;  ///< this phase's first event
};

class ProgressModel {
 public:
  void apply(const Event& event, Millis now);
  [[nodiscard]] const std::vector<ProgressRow>& rows() const { return rows_; }
  /// "14 of 30"; empty while it is not known, or is about one thing only.
  [[nodiscard]] std::string tally() const;

 private:
  void move_on(const Event& event, Millis now);
  std::vector<ProgressRow> rows_;
  std::uint64_t done_ = 0, total_ = 0;
};

/// "uploading 1.2 MB of 3.4 MB 5.6 MB/s", "building [2/4] RUN make", …
std::string phase_text(const ProgressRow& row, Millis now);

/// One line of a terminal: what to write, and how many columns it takes.
struct ScreenLine {
  std::string bytes;
  std::size_t width = 0;
};

struct FrameSize {
  std::size_t columns = 80, rows = 24;
};

/// The live block: at most size.rows - 1 lines of at most size.columns - 1 columns. It begins with a line for `title`,
/// running since 0, where there is a tally or nothing else to show.
std::vector<ScreenLine> draw_frame(const ProgressModel& model, std::string_view title, Millis now, FrameSize size,
                                   const Style& style);

}  // namespace otto::cli
