#include "graph/drive.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
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

  std::vector<NodeEnd> operator()(const std::vector<NodeId>& nodes) {
    known_ = graph_.size();
    join(nodes);
    std::vector<std::jthread> workers;
    for (unsigned i = 0; options_.jobs > 1 && i < options_.jobs; ++i) workers.emplace_back([this] { work(); });
    while (!ready_.empty() || running_ > 0) {
      while (!ready_.empty()) {
        const std::size_t next = ready_.front();
        ready_.pop_front();
        come_to(next);
      }
      if (running_ > 0) finish(*acted_.pop());
    }
    to_act_.close();
    for (const Unit& unit : units_) {
      if (!unit.over) mark(unit.nodes, NodeEnd::kBlocked);
    }
    return std::move(ends_);
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
  struct Acted {
    std::size_t unit;
    bool begun;
    Result<void> result;
  };

  /// New nodes are grouped, and wait for what they stand on.
  void join(const std::vector<NodeId>& nodes) {
    unit_of_.resize(graph_.size(), kNone);
    ends_.resize(graph_.size(), NodeEnd::kOutside);
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
      for (const NodeId input : graph_.node(node).inputs) {
        const std::size_t other = unit_of_[input.index];
        const bool waits = other != kNone && other != unit && !units_[other].well;
        if (waits && std::find(inputs.begin(), inputs.end(), other) == inputs.end()) inputs.push_back(other);
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
      const Result<bool> is_stale = rules_.is_stale(node);
      if (!is_stale.ok()) return end(index, NodeEnd::kFailed, is_stale.error());
      (*is_stale ? stale : fresh).push_back(node);
    }
    units_[index].stale = std::move(stale);
    if (!fresh.empty()) tell(fresh, NodeEnd::kFresh, {});  // may find nodes, so units may move
    if (units_[index].stale.empty()) return end(index, NodeEnd::kFresh, {});
    if (options_.dry_run) return end(index, NodeEnd::kStale, {});
    if (rules_.acts_here && rules_.acts_here(units_[index].stale.front())) {
      const std::vector<NodeId> nodes = units_[index].stale;
      return end_acted(index, rules_.act(nodes, options_.stop));
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

  void work() {
    while (const auto order = to_act_.pop()) act(*order);
  }

  void act(const Order& order) {
    if (halted_ || options_.stop.stop_requested()) return acted_.push({order.unit, false, {}});
    Result<void> result = rules_.act(order.nodes, options_.stop);
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
      if (ends_[node.index] == NodeEnd::kOutside) ends_[node.index] = how;
    }
  }

  void tell(const std::vector<NodeId>& nodes, NodeEnd how, const Result<void>& result) {
    mark(nodes, how);
    if (rules_.ended) rules_.ended(nodes, how, result);
    if (graph_.size() == known_) return;
    std::vector<NodeId> found;
    for (; known_ < graph_.size(); ++known_) found.push_back(NodeId{static_cast<std::uint32_t>(known_)});
    join(found);
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Graph& graph_;
  const Rules& rules_;
  const DriveOptions& options_;
  std::size_t known_ = 0;  // nodes of the graph
  std::vector<Unit> units_;
  std::vector<std::size_t> unit_of_;
  std::vector<NodeEnd> ends_;
  std::deque<std::size_t> ready_;
  std::size_t running_ = 0;
  std::atomic<bool> halted_ = false;  // after a failure nothing new is begun
  Queue<Order> to_act_;
  Queue<Acted> acted_;
};

}  // namespace

std::vector<NodeEnd> drive(Graph& graph, const std::vector<NodeId>& nodes, const Rules& rules,
                           const DriveOptions& options) {
  return Drive(graph, rules, options)(nodes);
}

}  // namespace otto::graph
