#include "cli/render/progress_tty.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "cli/render/layout.h"

namespace otto::cli {
namespace {

constexpr Millis kFirstFrame = 90;
constexpr std::chrono::milliseconds kTick{84};  // just under 12 a second
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

std::atomic<bool> cursor_hidden{false};

}  // namespace

bool cursor_is_hidden() { return cursor_hidden; }

TtyProgress::TtyProgress(ProgressSetup setup, Ticks ticks) : setup_(std::move(setup)) {
  if (ticks == Ticks::kByCaller) return;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::chrono::milliseconds pause{kFirstFrame};
    while (!stop.stop_requested()) {
      {
        auto state = state_.lock();
        state.wait_for(wake_, stop, pause, [](const State&) { return false; });
      }
      if (!stop.stop_requested()) tick();
      pause = kTick;
    }
  });
}

TtyProgress::~TtyProgress() { TtyProgress::finish(); }

void TtyProgress::report(const Event& event) {
  auto state = state_.lock();
  state->model.apply(event, setup_.clock());
  state->lasting += lasting_line(event, true, setup_.style);
}

void TtyProgress::suspend() {
  auto state = state_.lock();
  if (state->suspended++ == 0) clear(*state);
}

void TtyProgress::resume() {
  auto state = state_.lock();
  if (state->suspended > 0) --state->suspended;
}

void TtyProgress::finish() {
  {
    auto state = state_.lock();
    if (!std::exchange(state->finished, true)) clear(*state);
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void TtyProgress::tick() {
  auto state = state_.lock();
  if (!state->finished) draw(*state);
}

void TtyProgress::draw(State& state) {
  const Millis now = setup_.clock();
  if (state.suspended > 0 || now < kFirstFrame) {
    if (!state.lasting.empty()) setup_.write(std::exchange(state.lasting, {}));
    return;
  }
  const FrameSize size = setup_.screen();
  std::string out = rewind(state, size.columns);
  if (!cursor_hidden.exchange(true)) out += kHideCursor;
  if (!state.lasting.empty()) out.append(kClearBelow).append(std::exchange(state.lasting, {}));
  for (const ScreenLine& line : draw_frame(state.model, setup_.title, now, size, setup_.style)) {
    if (!state.drawn.empty()) out += '\n';
    out.append(line.bytes).append(kClearLine);
    state.drawn.push_back(line.width);
  }
  setup_.write(out.append(kClearBelow));
}

void TtyProgress::clear(State& state) {
  std::string out;
  if (!state.drawn.empty()) out.append(rewind(state, setup_.screen().columns)).append(kClearBelow);
  if (cursor_hidden.exchange(false)) out += kShowCursor;
  out += std::exchange(state.lasting, {});
  if (!out.empty()) setup_.write(out);
}

/// Moves the cursor to the block's first column, and forgets the block.
std::string TtyProgress::rewind(State& state, std::size_t columns) const {
  if (state.drawn.empty()) return {};
  std::size_t height = 0;
  for (const std::size_t width : std::exchange(state.drawn, {})) {
    height += std::max<std::size_t>(1, (width + columns - 1) / std::max<std::size_t>(1, columns));
  }
  return height > 1 ? fmt::format("\r\x1b[{}A", height - 1) : "\r";
}

}  // namespace otto::cli
