#include "cli/render/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/render/graph_text.h"
#include "cli/render/names.h"

namespace otto::cli {

namespace {

using Json = nlohmann::ordered_json;

/// One process, whatever its number: traces of two runs compare.
constexpr int kProcess = 1;

std::string one_event(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Trace::Trace(Reporter& next, std::function<std::int64_t()> clock) : next_(next), clock_(std::move(clock)) {
  state_.lock()->rows.push_back({"main", std::this_thread::get_id(), false});
}

void Trace::report(const Event& event) {
  {
    auto state = state_.lock();
    if (event.kind == Event::Kind::kPhase) enter(*state, event);
    if (event.kind == Event::Kind::kDone || event.kind == Event::Kind::kFailed) {
      end(*state, event.subject, event.kind == Event::Kind::kFailed ? "failed" : event.detail);
    }
  }
  next_.report(event);
}

void Trace::left(const std::string& subject) {
  end(*state_.lock(), subject, "");
  next_.left(subject);
}

void Trace::driven(const graph::Graph& graph, const std::vector<graph::Outcome>& outcomes) {
  const auto called = [&](graph::NodeId id) {
    return fmt::format("{} {}", shown_node_kind(graph.node(id).kind), graph.node(id).name);
  };
  const auto all = [&](const std::vector<graph::NodeId>& ids) {
    Json names = Json::array();
    for (const graph::NodeId id : ids) names.push_back(called(id));
    return names;
  };
  {
    auto state = state_.lock();
    for (const graph::NodeId id : graph.nodes()) {
      const graph::Outcome& outcome = outcomes[id.index];
      if (outcome.end == graph::NodeEnd::kOutside) continue;
      Json args = {{"end", graph::node_end_name(outcome.end)}};
      if (!outcome.reasons.empty()) args["why"] = graph::in_short(outcome.reasons);
      if (!graph.node(id).inputs.empty()) args["inputs"] = all(graph.node(id).inputs);
      if (!graph.node(id).gates.empty()) args["gates"] = all(graph.node(id).gates);
      state->nodes.push_back(one_event({{"name", called(id)},
                                        {"cat", "node"},
                                        {"ph", "i"},
                                        {"s", "t"},
                                        {"pid", kProcess},
                                        {"tid", 0},
                                        {"ts", clock_()},
                                        {"args", std::move(args)}}));
    }
  }
  next_.driven(graph, outcomes);
}

void Trace::enter(State& state, const Event& event) const {
  auto known = state.current.find(event.subject);
  if (known != state.current.end() && known->second.phase != event.phase) {
    end(state, event.subject, "");
    known = state.current.end();
  }
  if (known == state.current.end()) {
    const std::size_t row = free_row(state);
    state.rows[row].in_use = true;
    const std::string phase(phase_name(event.phase));
    state.spans.push_back({fmt::format("{} {}", phase, event.subject), phase, event.subject, "", row, clock_(), {}});
    known = state.current.try_emplace(event.subject, Current{event.phase, state.spans.size() - 1, {}}).first;
  }
  if (event.phase == Phase::kBuilding) {
    enter_step(state, known->second, event);
  } else if (!event.detail.empty()) {
    state.spans[known->second.phase_span].detail = event.detail;
  }
}

void Trace::enter_step(State& state, Current& current, const Event& event) const {
  if (event.detail.empty()) return;
  if (current.step_span && state.spans[*current.step_span].name == event.detail) return;
  const std::int64_t now = clock_();
  if (current.step_span) state.spans[*current.step_span].end = now;
  const std::size_t row = state.spans[current.phase_span].row;
  state.spans.push_back({event.detail, "step", event.subject, "", row, now, {}});
  current.step_span = state.spans.size() - 1;
}

void Trace::end(State& state, const std::string& subject, const std::string& how) const {
  const auto known = state.current.find(subject);
  if (known == state.current.end()) return;
  const std::int64_t now = clock_();
  Span& span = state.spans[known->second.phase_span];
  if (known->second.step_span) state.spans[*known->second.step_span].end = now;
  span.end = now;
  if (span.detail.empty()) span.detail = how;
  state.rows[span.row].in_use = false;
  state.current.erase(known);
}

/// The first row of the calling thread that no span is open in.
std::size_t Trace::free_row(State& state) {
  const std::thread::id self = std::this_thread::get_id();
  std::size_t of_thread = 0;
  std::string name;
  for (std::size_t row = 0; row < state.rows.size(); ++row) {
    if (state.rows[row].thread != self) continue;
    if (!state.rows[row].in_use) return row;
    if (++of_thread == 1) name = state.rows[row].name;
  }
  name = of_thread == 0 ? fmt::format("worker {}", ++state.threads) : fmt::format("{} ({})", name, of_thread + 1);
  state.rows.push_back({std::move(name), self, false});
  return state.rows.size() - 1;
}

std::string Trace::json() {
  auto state = state_.lock();
  while (!state->current.empty()) end(*state, std::string(state->current.begin()->first), "");
  std::vector<std::string> events;
  for (std::size_t row = 0; row < state->rows.size(); ++row) {
    events.push_back(one_event({{"name", "thread_name"},
                                {"ph", "M"},
                                {"pid", kProcess},
                                {"tid", row},
                                {"args", {{"name", state->rows[row].name}}}}));
  }
  for (const Span& span : state->spans) {
    Json args = {{"subject", span.subject}};
    if (!span.detail.empty()) args["detail"] = span.detail;
    events.push_back(one_event({{"name", span.name},
                                {"cat", span.category},
                                {"ph", "X"},
                                {"pid", kProcess},
                                {"tid", span.row},
                                {"ts", span.begin},
                                {"dur", *span.end - span.begin},
                                {"args", std::move(args)}}));
  }
  events.insert(events.end(), state->nodes.begin(), state->nodes.end());
  return fmt::format("[\n{}\n]\n", fmt::join(events, ",\n"));
}

}  // namespace otto::cli
