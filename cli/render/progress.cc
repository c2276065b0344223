#include "cli/render/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "cli/render/errors.h"
#include "cli/render/json.h"
#include "cli/render/layout.h"
#include "cli/render/progress_tty.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

/// Nothing was done: worth a line only with -v, so that "nothing to do" stays one line.
bool is_quiet_end(std::string_view detail) {
  static constexpr std::array<std::string_view, 4> kQuiet = {"cached", "unchanged", "completed", "connected"};
  return std::ranges::find(kQuiet, detail) != kQuiet.end();
}

std::string done_line(const Event& event, bool marked, const Style& style) {
  if (is_quiet_end(event.detail) && style.verbose == 0) return {};
  const std::string time = event.elapsed_ms == 0 ? "" : fmt::format(" ({})", text::human_duration(event.elapsed_ms));
  const std::string subject = one_line(event.subject), words = one_line(event.detail);
  if (!marked) return fmt::format("{}: {}{}\n", subject, words, time);
  return fmt::format("{} {} {}{}\n", style.paint(Paint::kGreen, style.check()), style.paint(Paint::kBold, subject),
                     words, style.paint(Paint::kDim, time));
}

/// The error itself is told once, at the end, by the verb.
std::string failed_line(const Event& event, bool marked, const Style& style) {
  const std::string time = event.elapsed_ms == 0 ? "" : fmt::format(" ({})", text::human_duration(event.elapsed_ms));
  const std::string subject = one_line(event.subject);
  if (!marked) return fmt::format("{}: failed{}\n", subject, time);
  return fmt::format("{} {} failed{}\n", style.paint(Paint::kRed, style.cross()), style.paint(Paint::kBold, subject),
                     style.paint(Paint::kDim, time));
}

class QuietProgress : public Progress {
 public:
  explicit QuietProgress(ProgressSetup setup) : setup_(std::move(setup)) {}
  void report(const Event& event) override {
    if (event.kind == Event::Kind::kWarning) setup_.write(render_warning(event.detail, setup_.style));
  }

 private:
  ProgressSetup setup_;
};

class JsonProgress : public Progress {
 public:
  explicit JsonProgress(ProgressSetup setup) : setup_(std::move(setup)) {}
  void report(const Event& event) override { setup_.write(json::progress(event)); }

 private:
  ProgressSetup setup_;
};

/// One line where a subject enters a phase, and where it ends.
class PlainProgress : public Progress {
 public:
  explicit PlainProgress(ProgressSetup setup) : setup_(std::move(setup)) {}

  void report(const Event& event) override {
    auto seen = seen_.lock();
    if (event.kind == Event::Kind::kTally) tally_.apply(event, 0);
    std::string line =
        event.kind == Event::Kind::kPhase ? phase_line(event, *seen) : lasting_line(event, false, setup_.style);
    if (!line.empty()) line.insert(line.size() - 1, count_after(event));
    if (!line.empty()) setup_.write(line);
  }

 private:
  using Seen = std::map<std::string, std::pair<Phase, std::string>>;

  [[nodiscard]] std::string phase_line(const Event& event, Seen& seen) const {
    std::pair<Phase, std::string> now{event.phase, setup_.style.verbose > 0 ? event.detail : ""};
    const auto [known, first] = seen.try_emplace(event.subject, now);
    if (!first && known->second == now) return {};
    known->second = std::move(now);
    ProgressRow row{event.subject, event.phase, event.detail, 0, 0, 0, 0};
    if (event.phase == Phase::kBuilding && setup_.style.verbose == 0) row.detail.clear();
    return fmt::format("{}: {}\n", one_line(event.subject), phase_text(row, 0));
  }

  /// " [14 of 30]" after the end of what is counted.
  [[nodiscard]] std::string count_after(const Event& event) const {
    const bool ends = event.kind == Event::Kind::kDone || event.kind == Event::Kind::kFailed;
    const bool counts = event.phase == Phase::kBuilding || event.phase == Phase::kStarting;
    const std::string tally = tally_.tally();
    return ends && counts && !tally.empty() ? fmt::format(" [{}]", tally) : "";
  }

  ProgressSetup setup_;
  Sync<Seen> seen_;
  ProgressModel tally_;  // with `seen_`
};

}  // namespace

std::string lasting_line(const Event& event, bool marked, const Style& style) {
  switch (event.kind) {
    case Event::Kind::kPhase:
    case Event::Kind::kTally: return {};
    case Event::Kind::kOutput:
      if (style.verbose == 0) return {};
      return fmt::format("{} {}\n", style.paint(Paint::kDim, one_line(event.subject) + " |"), one_line(event.detail));
    case Event::Kind::kDone: return done_line(event, marked, style);
    case Event::Kind::kFailed: return failed_line(event, marked, style);
    case Event::Kind::kNotice: return render_notice(event.detail);
    case Event::Kind::kWarning: return render_warning(event.detail, style);
  }
  return {};
}

std::unique_ptr<Progress> make_progress(ProgressSetup setup) {
  switch (setup.mode) {
    case ProgressMode::kTty: return std::make_unique<TtyProgress>(std::move(setup), TtyProgress::Ticks::kOwnThread);
    case ProgressMode::kJson: return std::make_unique<JsonProgress>(std::move(setup));
    case ProgressMode::kQuiet: return std::make_unique<QuietProgress>(std::move(setup));
    case ProgressMode::kAuto:
    case ProgressMode::kPlain: return std::make_unique<PlainProgress>(std::move(setup));
  }
  panic("unknown progress mode", __FILE__, __LINE__);
}

}  // namespace otto::cli
