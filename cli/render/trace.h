// Where a command's time goes, as a Chrome trace (chrome://tracing, Perfetto): one row a thread, one span a phase.
//
// A Reporter between the engine and the progress: every event is passed on, and phases become spans. A subject's span
// begins with the phase's first event and ends with its next phase, when the thread that worked on it has left it, or
// when it is done; a build's steps lie within its span. Spans of one row never overlap: a thread with several things in
// hand (services that start together) gets further rows. When a schedule has been driven, each of its nodes becomes an
// instant on the main row, with how it ended, why, and what it is made from. Threads: as every Reporter; json() once
// all work is over.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "graph/base/sync.h"
#include "otto/reporter.h"

namespace otto::cli {

class Trace : public Reporter {
 public:
  /// `next` is borrowed. `clock`: microseconds since any fixed moment. The thread that makes it is "main".
  Trace(Reporter& next, std::function<std::int64_t()> clock);

  void report(const Event& event) override;
  void left(const std::string& subject) override;
  void driven(const graph::Graph& graph, const std::vector<graph::Outcome>& outcomes) override;

  /// Ends what is still open. A JSON array of complete events ("X") and of the rows' names ("M"), a line each: the
  /// format's own reference is "Trace Event Format", Google, 2016.
  [[nodiscard]] std::string json();

 private:
  struct Span {
    std::string name, category, subject, detail;
    std::size_t row = 0;
    std::int64_t begin = 0;
    std::optional<std::int64_t> end;
  };
  struct Row {
    std::string name;
    std::thread::id thread;
    bool in_use = false;
  };
  /// What a subject is in: indices of spans.
  struct Current {
    Phase phase;
    std::size_t phase_span;
    std::optional<std::size_t> step_span;
  };
  struct State {
    std::vector<Span> spans;
    std::vector<std::string> nodes;  // instants, as they are written
    std::vector<Row> rows;
    std::map<std::string, Current> current;
    std::size_t threads = 0;
  };

  void enter(State& state, const Event& event) const;
  void enter_step(State& state, Current& current, const Event& event) const;
  void end(State& state, const std::string& subject, const std::string& how) const;
  static std::size_t free_row(State& state);

  Reporter& next_;
  std::function<std::int64_t()> clock_;
  Sync<State> state_;
};

}  // namespace otto::cli
