#include "cli/render/progress_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/render/layout.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr Millis kSpinnerStep = 83;
constexpr std::size_t kMaxSubject = 30;
constexpr Millis kRateAfter = 300;  ///< a rate measured over less says nothing

bool is_preparation(Phase phase) {
  return phase == Phase::kConnecting || phase == Phase::kChecking || phase == Phase::kScanning;
}

std::string with_detail(std::string_view words, std::string_view detail) {
  return detail.empty() ? std::string(words) : fmt::format("{} {}", words, detail);
}

std::string moving_text(std::string_view verb, const ProgressRow& row, Millis now) {
  if (row.done == 0 && row.total == 0) return std::string(verb);
  std::string text = fmt::format("{} {}", verb, text::human_size(row.done));
  if (row.total != 0) text += " of " + text::human_size(std::max(row.done, row.total));
  const Millis elapsed = now - row.phase_since;
  if (elapsed >= kRateAfter && row.done != 0) text += fmt::format(" {}/s", text::human_size(row.done * 1000 / elapsed));
  return text;
}

std::string_view spinner(Millis now, const Style& style) {
  static constexpr std::array<std::string_view, 10> kBraille = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  static constexpr std::array<std::string_view, 4> kAscii = {"|", "/", "-", "\\"};
  const Millis step = now / kSpinnerStep;
  return style.utf8 ? kBraille[step % kBraille.size()] : kAscii[step % kAscii.size()];
}

std::string elapsed_text(Millis elapsed) {
  return elapsed < 60'000 ? fmt::format("{:.1f} s", static_cast<double>(elapsed / 100) / 10)
                          : text::human_duration(elapsed);
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t used = display_width(text);
  if (used < width) text.append(width - used, ' ');
  return text;
}

struct LineParts {
  std::string subject, text;
  Millis elapsed;
};

ScreenLine draw_line(const LineParts& parts, std::size_t subject_width, std::size_t columns, Millis now,
                     const Style& style) {
  const std::string elapsed = elapsed_text(parts.elapsed);
  const std::string subject = padded(cut_to_width(parts.subject, subject_width, style), subject_width);
  const std::size_t fixed = 2 + subject_width + 2 + 2 + elapsed.size();
  if (columns < fixed + 4) {  // too narrow for columns of its own
    const std::string all = cut_to_width(
        parts.text.empty() ? parts.subject : fmt::format("{} {}", parts.subject, parts.text), columns - 1, style);
    return {all, display_width(all)};
  }
  const std::size_t room = columns - 1 - fixed;
  const std::string text = padded(cut_to_width(parts.text, room, style), room);
  return {fmt::format("{} {}  {}  {}", style.paint(Paint::kCyan, spinner(now, style)),
                      style.paint(Paint::kBold, subject), text, style.paint(Paint::kDim, elapsed)),
          columns - 1};
}

}  // namespace

void ProgressModel::apply(const Event& event, Millis now) {
  switch (event.kind) {
    case Event::Kind::kPhase: return move_on(event, now);
    case Event::Kind::kTally:
      done_ = event.done;
      total_ = event.total;
      return;
    case Event::Kind::kDone:
    case Event::Kind::kFailed:
      std::erase_if(rows_, [&](const ProgressRow& row) { return row.subject == event.subject; });
      return;
    case Event::Kind::kOutput:
    case Event::Kind::kNotice:
    case Event::Kind::kWarning: return;
  }
}

std::string ProgressModel::tally() const { return total_ < 2 ? "" : fmt::format("{} of {}", done_, total_); }

void ProgressModel::move_on(const Event& event, Millis now) {
  if (!is_preparation(event.phase)) {
    std::erase_if(rows_,
                  [&](const ProgressRow& row) { return is_preparation(row.phase) && row.subject != event.subject; });
  }
  auto row = std::ranges::find(rows_, event.subject, &ProgressRow::subject);
  if (row == rows_.end()) {
    rows_.push_back({event.subject, event.phase, {}, 0, 0, now, now});
    row = rows_.end() - 1;
  } else if (row->phase != event.phase) {
    row->phase = event.phase;
    row->phase_since = now;
  }
  row->detail = event.detail;
  row->done = event.done;
  row->total = event.total;
}

std::string phase_text(const ProgressRow& row, Millis now) {
  const std::string detail = one_line(row.detail);
  switch (row.phase) {
    case Phase::kConnecting: return with_detail("connecting", detail);
    case Phase::kScanning:
      if (row.done == 0) return "scanning";
      return fmt::format("scanning {}{}", counted(row.done, "file"),
                         row.total == 0 ? "" : fmt::format(" ({} read)", text::human_size(row.total)));
    case Phase::kChecking: return with_detail("checking", detail);
    case Phase::kWaiting: return with_detail("waiting", detail);
    case Phase::kUploading: return moving_text("uploading", row, now);
    case Phase::kDownloading: return moving_text("downloading", row, now);
    case Phase::kBuilding: return with_detail("building", detail);
    case Phase::kStarting: return detail.empty() ? "starting" : fmt::format("starting ({})", detail);
    case Phase::kStopping: return with_detail("stopping", detail);
  }
  return {};
}

std::vector<ScreenLine> draw_frame(const ProgressModel& model, std::string_view title, Millis now, FrameSize size,
                                   const Style& style) {
  std::vector<LineParts> parts;
  const std::string tally = model.tally();
  if (model.rows().empty() || !tally.empty()) parts.push_back({std::string(title), tally, now});
  for (const ProgressRow& row : model.rows()) {
    parts.push_back({one_line(row.subject), phase_text(row, now), now - row.since});
  }

  const std::size_t most = size.rows > 2 ? size.rows - 1 : 1;
  const std::size_t hidden = parts.size() > most ? parts.size() - most + 1 : 0;
  parts.resize(parts.size() - hidden);
  std::size_t subject_width = 0;
  for (const LineParts& part : parts) subject_width = std::max(subject_width, display_width(part.subject));
  subject_width = std::min(subject_width, kMaxSubject);

  const std::size_t columns = std::max<std::size_t>(size.columns, 4);
  std::vector<ScreenLine> lines;
  for (const LineParts& part : parts) lines.push_back(draw_line(part, subject_width, columns, now, style));
  if (hidden > 0) {
    const std::string more = cut_to_width(fmt::format("{} and {} more", style.ellipsis(), hidden), columns - 1, style);
    lines.push_back({more, display_width(more)});
  }
  return lines;
}

}  // namespace otto::cli
