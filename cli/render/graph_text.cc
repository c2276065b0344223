#include "cli/render/graph_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/render/layout.h"
#include "cli/render/reasons_text.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

using docker::GraphNode;
using docker::GraphReport;
using docker::NodeState;
using graph::NodeKind;

Paint node_paint(NodeState state) {
  switch (state) {
    case NodeState::kFresh: return Paint::kGreen;
    case NodeState::kStale: return Paint::kYellow;
    case NodeState::kUnknown: return Paint::kDim;
  }
  return Paint::kNone;
}

/// The reasons of an image that none of its inputs shows itself; none of a container, whose line says why; of any other
/// node all of them.
std::vector<graph::Reason> own_reasons(const GraphReport& report, const GraphNode& node) {
  if (!node.why.empty()) return {};
  std::vector<graph::Reason> own = node.reasons;
  if (node.kind != NodeKind::kImage) return own;
  std::erase_if(own, [&](const graph::Reason& reason) {
    return std::ranges::any_of(node.inputs, [&](std::size_t input) {
      const auto& shown = report.nodes[input].reasons;
      return report.nodes[input].kind != NodeKind::kImage && std::ranges::find(shown, reason) != shown.end();
    });
  });
  return own;
}

std::vector<std::size_t> roots_of(const GraphReport& report) {
  std::vector<bool> used(report.nodes.size());
  for (const GraphNode& node : report.nodes) {
    for (const std::size_t input : node.inputs) used[input] = true;
  }
  std::vector<std::size_t> roots;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) roots.push_back(i);
  }
  // The stack first: what it runs is what most people look for.
  std::ranges::stable_partition(roots, [&](std::size_t i) { return report.nodes[i].kind == NodeKind::kStack; });
  return roots;
}

class Tree {
 public:
  Tree(const GraphReport& report, const Style& style) : report_(report), style_(style), shown_(report.nodes.size()) {}

  std::string operator()() {
    for (const std::size_t root : roots_of(report_)) draw(root, "", "");
    return std::move(out_);
  }

 private:
  /// `lead` stands before the node itself, `below` before everything under it.
  void draw(std::size_t index, const std::string& lead, const std::string& below) {
    const GraphNode& node = report_.nodes[index];
    const bool again = shown_[index] && !node.inputs.empty();
    out_ += fmt::format("{}{}  {}  {}", lead, style_.paint(Paint::kBold, image_reference(node.name, style_)),
                        shown_node_kind(node.kind), style_.paint(node_paint(node.state), node_state_name(node.state)));
    if (!node.why.empty()) out_ += "  " + style_.paint(Paint::kDim, one_line(node.why));
    if (again) out_ += "  " + style_.paint(Paint::kDim, "(see above)");
    out_ += '\n';
    if (shown_[index]) return;
    shown_[index] = true;
    for (const std::string& line : text::split(render_reasons(own_reasons(report_, node), style_), '\n')) {
      if (!line.empty()) out_ += below + line + "\n";
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool last = i + 1 == node.inputs.size();
      const std::string_view branch = style_.utf8 ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- ");
      const std::string_view trunk = last ? "   " : style_.utf8 ? "│  " : "|  ";
      draw(node.inputs[i], below + std::string(branch), below + std::string(trunk));
    }
  }

  const GraphReport& report_;
  const Style& style_;
  std::vector<bool> shown_;
  std::string out_;
};

// --- Graphviz ---

/// A double-quoted string of the DOT language: `\n` breaks a line there, so the text itself is made one line first.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string label_of(const GraphNode& node) {
  std::string label = escaped(image_reference(node.name, {false, true, true, 0}));
  label += fmt::format("\\n{}, {}", shown_node_kind(node.kind), node_state_name(node.state));
  if (!node.why.empty()) label += "\\n" + escaped(node.why);
  constexpr std::size_t kShown = 4;
  if (!node.why.empty()) return label;
  for (std::size_t i = 0; i < node.reasons.size() && i < kShown; ++i) {
    label += fmt::format("\\n{} {}", graph::reason_name(node.reasons[i].kind), escaped(node.reasons[i].subject));
  }
  if (node.reasons.size() > kShown) label += fmt::format("\\nand {} more", grouped(node.reasons.size() - kShown));
  return label;
}

std::string_view shape_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::kImage: return "box";
    case NodeKind::kContext: return "folder";
    case NodeKind::kDockerfile: return "note";
    case NodeKind::kBaseImage: return "box3d";
    case NodeKind::kStack: return "component";
    case NodeKind::kStackFiles: return "tab";
    case NodeKind::kService:
    case NodeKind::kRegistration: return "ellipse";
  }
  return "box";
}

std::string_view fill_of(NodeState state) {
  switch (state) {
    case NodeState::kFresh: return "palegreen";
    case NodeState::kStale: return "gold";
    case NodeState::kUnknown: return "lightgray";
  }
  return "white";
}

}  // namespace

std::string_view shown_node_kind(NodeKind kind) {
  return kind == NodeKind::kRegistration ? "container" : graph::node_kind_name(kind);
}

std::string render_graph(std::span<const GraphReport> reports, const Style& style) {
  std::string out;
  for (const GraphReport& report : reports) {
    const std::string heading = fmt::format("{} on {}", one_line(report.repo), one_line(report.parent));
    if (!report.parent_reachable) out += heading + ": the host could not be asked what is stale\n";
    if (reports.size() > 1) out += style.paint(Paint::kBold, heading) + "\n";
    out += Tree(report, style)();
  }
  return out;
}

std::string render_graph_dot(std::span<const GraphReport> reports) {
  std::string out = "digraph otto {\n  rankdir=LR;\n  node [style=filled, fontname=\"sans-serif\"];\n";
  for (std::size_t r = 0; r < reports.size(); ++r) {
    const GraphReport& report = reports[r];
    out += fmt::format("  subgraph cluster_{} {{\n    label=\"{} on {}\";\n", r, escaped(report.repo),
                       escaped(report.parent));
    for (std::size_t i = 0; i < report.nodes.size(); ++i) {
      const GraphNode& node = report.nodes[i];
      out += fmt::format("    n{}_{} [label=\"{}\", shape={}, fillcolor={}];\n", r, i, label_of(node),
                         shape_of(node.kind), fill_of(node.state));
    }
    for (std::size_t i = 0; i < report.nodes.size(); ++i) {
      for (const std::size_t input : report.nodes[i].inputs)
        out += fmt::format("    n{0}_{1} -> n{0}_{2};\n", r, i, input);
    }
    out += "  }\n";
  }
  return out + "}\n";
}

}  // namespace otto::cli
