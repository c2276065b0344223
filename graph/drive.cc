#include "graph/drive.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "graph/base/sync.h"

namespace otto::graph {

namespace {

/// A queue between threads; closing it wakes everyone.
template <typename T>
class Queue {
 public:
  void push(T item) {
    items_.lock()->waiting.push_back(std::move(item));
    changed_.notify_one();
  }
  void close() {
    items_.lock()->closed = true;
    changed_.notify_all();
  }
  std::optional<T> pop() {
    auto items = items_.lock();
    items.wait(changed_, [](const State& state) { return state.closed || !state.waiting.empty(); });
    if (items->waiting.empty()) return std::nullopt;
    T item = std::move(items->waiting.front());
    items->waiting.pop_front();
    return item;
  }

 private:
  struct State {
    std::deque<T> waiting;
    bool closed = false;
  };
  Sync<State> items_;
  std::condition_variable_any changed_;
};

class Drive {
 public:
  Drive(Graph& graph, const Rules& rules, const DriveOptions& options)
      : graph_(graph), rules_(rules), options_(options) {}

  std::vector<Outcome> operator()(const std::vector<NodeId>& nodes) {
    known_ = graph_.size();
    join(nodes);
    std::vector<std::jthread> workers;
    for (unsigned i = 0; options_.jobs > 1 && i < options_.jobs; ++i) workers.emplace_back([this] { work(); });
    const Closer closer{to_act_, halted_};
    while (!ready_.empty() || running_ > 0) {
      while (!ready_.empty()) {
        const std::size_t next = ready_.front();
        ready_.pop_front();
        come_to(next);
      }
      if (running_ > 0) finish(*acted_.pop());
    }
    for (const Unit& unit : units_) {
      if (!unit.over) mark(unit.nodes, NodeEnd::kBlocked);
    }
    return std::move(outcomes_);
  }

 private:
  /// A batch.
  struct Unit {
    std::vector<NodeId> nodes, stale;
    std::size_t missing = 0;              // units that it waits for
    std::vector<std::size_t> dependents;  // units that wait for it
    bool over = false, well = false;
  };
  struct Order {
    std::size_t unit;
    std::vector<NodeId> nodes;
    bool ends_run;  // if it fails
  };
  /// Sends the workers home, whatever ends the run: who acts on the calling thread may throw.
  struct Closer {
    Queue<Order>& orders;
    std::atomic<bool>& halted;
    ~Closer() {
      halted = true;
      orders.close();
    }
  };
  struct Acted {
    std::size_t unit;
    bool begun;
    Result<void> result;
  };

  /// New nodes are grouped, and wait for what they stand on.
  void join(const std::vector<NodeId>& nodes) {
    unit_of_.resize(graph_.size(), kNone);
    outcomes_.resize(graph_.size());
    const std::size_t first = units_.size();
    std::map<std::string, std::size_t> batches;
    for (const NodeId node : nodes) {
      const std::string batch = rules_.batch ? rules_.batch(node) : "";
      std::size_t unit = units_.size();
      if (!batch.empty()) unit = batches.emplace(batch, unit).first->second;
      if (unit == units_.size()) units_.emplace_back();
      units_[unit].nodes.push_back(node);
      unit_of_[node.index] = unit;
    }
    for (std::size_t unit = first; unit < units_.size(); ++unit) await_inputs(unit);
  }

  void await_inputs(std::size_t unit) {
    std::vector<std::size_t> inputs;
    for (const NodeId node : units_[unit].nodes) {
      for (const auto* some : {&graph_.node(node).inputs, &graph_.node(node).gates}) {
        for (const NodeId input : *some) {
          const std::size_t other = unit_of_[input.index];
          const bool waits = other != kNone && other != unit && !units_[other].well;
          if (waits && std::find(inputs.begin(), inputs.end(), other) == inputs.end()) inputs.push_back(other);
        }
      }
    }
    units_[unit].missing = inputs.size();
    for (const std::size_t input : inputs) units_[input].dependents.push_back(unit);
    if (inputs.empty()) ready_.push_back(unit);
  }

  void come_to(std::size_t index) {
    if (halted_ || options_.stop.stop_requested()) return;  // stays blocked
    std::vector<NodeId> fresh, stale;
    for (const NodeId node : units_[index].nodes) {
      Result<Verdict> verdict = rules_.judge(node);
      if (!verdict.ok()) return end(index, NodeEnd::kFailed, verdict.error());
      outcomes_[node.index].reasons = std::move(verdict->reasons);
      (verdict->stale ? stale : fresh).push_back(node);
    }
    units_[index].stale = std::move(stale);
    if (!fresh.empty()) tell(fresh, NodeEnd::kFresh, {});  // may find nodes, so units may move
    if (units_[index].stale.empty()) return end(index, NodeEnd::kFresh, {});
    if (options_.dry_run) return end(index, NodeEnd::kStale, {});
    if (rules_.acts_here && rules_.acts_here(units_[index].stale.front())) {
      const std::vector<NodeId> nodes = units_[index].stale;
      return end_acted(index, call_act(nodes));
    }
    ++running_;
    Order order{index, units_[index].stale, ends_run(units_[index].stale.front())};
    if (options_.jobs > 1) return to_act_.push(std::move(order));
    act(order);
    finish(*acted_.pop());
  }

  [[nodiscard]] bool ends_run(NodeId node) const {
    return !options_.keep_going || (rules_.is_vital && rules_.is_vital(node));
  }

  Result<void> call_act(std::span<const NodeId> nodes) {
    return rules_.act ? rules_.act(nodes, options_.stop) : Result<void>();
  }

  void work() {
    while (const auto order = to_act_.pop()) act(*order);
  }

  void act(const Order& order) {
    if (halted_ || options_.stop.stop_requested()) return acted_.push({order.unit, false, {}});
    Result<void> result = call_act(order.nodes);
    if (!result.ok() && order.ends_run) halted_ = true;
    acted_.push({order.unit, true, std::move(result)});
  }

  void finish(const Acted& acted) {
    --running_;
    if (acted.begun) end_acted(acted.unit, acted.result);
  }

  void end_acted(std::size_t unit, const Result<void>& result) {
    end(unit, result.ok() ? NodeEnd::kActed : NodeEnd::kFailed, result);
  }

  void end(std::size_t index, NodeEnd how, const Result<void>& result) {
    if (how == NodeEnd::kFailed && ends_run(units_[index].nodes.front())) halted_ = true;
    const bool judged = how != NodeEnd::kFresh && !units_[index].stale.empty();
    const std::vector<NodeId> nodes = judged ? units_[index].stale : units_[index].nodes;
    units_[index].over = true;
    units_[index].well = how != NodeEnd::kFailed;
    if (how != NodeEnd::kFresh) tell(nodes, how, result);
    if (!units_[index].well) return;
    for (const std::size_t dependent : std::vector<std::size_t>(units_[index].dependents)) {
      if (--units_[dependent].missing == 0) ready_.push_back(dependent);
    }
  }

  void mark(const std::vector<NodeId>& nodes, NodeEnd how) {
    for (const NodeId node : nodes) {
      if (outcomes_[node.index].end == NodeEnd::kOutside) outcomes_[node.index].end = how;
    }
  }

  void tell(const std::vector<NodeId>& nodes, NodeEnd how, const Result<void>& result) {
    mark(nodes, how);
    if (rules_.ended) rules_.ended(nodes, how, result);
    if (graph_.size() == known_) return;
    std::vector<NodeId> found;
    for (; known_ < graph_.size(); ++known_) {
      const NodeId node{static_cast<std::uint32_t>(known_)};
      if (!rules_.joins || rules_.joins(node)) found.push_back(node);
    }
    join(found);
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Graph& graph_;
  const Rules& rules_;
  const DriveOptions& options_;
  std::size_t known_ = 0;  // nodes of the graph
  std::vector<Unit> units_;
  std::vector<std::size_t> unit_of_;
  std::vector<Outcome> outcomes_;
  std::deque<std::size_t> ready_;
  std::size_t running_ = 0;
  std::atomic<bool> halted_ = false;  // after a failure nothing new is begun
  Queue<Order> to_act_;
  Queue<Acted> acted_;
};

}  // namespace

Rules by_kind(const Graph& graph, std::map<NodeKind, Rules> kinds) {
  const auto all = std::make_shared<const std::map<NodeKind, Rules>>(std::move(kinds));
  const auto of = [all, &graph](NodeId node) -> const Rules& {
    const auto found = all->find(graph.node(node).kind);
    OTTO_CHECK(found != all->end());
    return found->second;
  };
  Rules rules;
  rules.joins = [all, &graph](NodeId node) {
    const auto found = all->find(graph.node(node).kind);
    return found != all->end() && (!found->second.joins || found->second.joins(node));
  };
  rules.batch = [of, &graph](NodeId node) -> std::string {
    const std::string batch = of(node).batch ? of(node).batch(node) : "";
    return batch.empty() ? batch : std::string(node_kind_name(graph.node(node).kind)) + " " + batch;
  };
  rules.judge = [of](NodeId node) { return of(node).judge(node); };
  rules.act = [of](std::span<const NodeId> nodes, const std::stop_token& stop) -> Result<void> {
    const Rules& kind = of(nodes.front());
    return kind.act ? kind.act(nodes, stop) : Result<void>();
  };
  rules.acts_here = [of](NodeId node) { return of(node).acts_here && of(node).acts_here(node); };
  rules.is_vital = [of](NodeId node) { return of(node).is_vital && of(node).is_vital(node); };
  rules.ended = [of](std::span<const NodeId> nodes, NodeEnd end, const Result<void>& result) {
    const Rules& kind = of(nodes.front());
    if (kind.ended) kind.ended(nodes, end, result);
  };
  return rules;
}

std::vector<Outcome> drive(Graph& graph, const std::vector<NodeId>& nodes, const Rules& rules,
                           const DriveOptions& options) {
  return Drive(graph, rules, options)(nodes);
}

}  // namespace otto::graph
