// Bytes from the thread that reads a connection to the one that writes files, in order and bounded.
//
// push() waits while kCap bytes are queued, which closes the peer's window; pop() waits for the next piece. One writer,
// one reader.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "graph/base/sync.h"

namespace otto::hosts {

class ByteQueue {
 public:
  void push(std::string_view bytes) {
    auto state = state_.lock();
    state.wait(changed_, [](const State& s) { return s.size < kCap || s.abandoned; });
    if (state->abandoned) return;
    state->pieces.emplace_back(bytes);
    state->size += bytes.size();
    changed_.notify_all();
  }
  /// Nothing more comes.
  void finish() {
    state_.lock()->finished = true;
    changed_.notify_all();
  }
  /// Nobody reads any more: push() drops from now on.
  void abandon() {
    state_.lock()->abandoned = true;
    changed_.notify_all();
  }
  /// False at the end.
  bool pop(std::string& piece) {
    auto state = state_.lock();
    state.wait(changed_, [](const State& s) { return !s.pieces.empty() || s.finished; });
    if (state->pieces.empty()) return false;
    piece = std::move(state->pieces.front());
    state->pieces.pop_front();
    state->size -= piece.size();
    changed_.notify_all();
    return true;
  }

 private:
  static constexpr std::size_t kCap = 8 * 1024 * 1024;
  struct State {
    std::deque<std::string> pieces;
    std::size_t size = 0;
    bool finished = false, abandoned = false;
  };
  Sync<State> state_;
  std::condition_variable_any changed_;
};

}  // namespace otto::hosts
