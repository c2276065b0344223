#include "engine/compose/compose_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>

namespace otto::compose::yaml {
namespace {

constexpr unsigned kMaxMerges = 32;

/// Takes the scalars, and ends what yaml-cpp 0.7 does not: on some malformed texts it gives one empty document after
/// the other without reading on.
class ScalarCollector : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == last_start_) throw YAML::ParserException(mark, "unexpected text");
    last_start_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string& value) override {
    values.push_back(value);
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  std::vector<std::string> values;

 private:
  int last_start_ = -1;
};

/// Calls `visit` for the map itself, then for each map it merges, until one returns true.
template <typename Visit>
bool each_merged(const YAML::Node& map, Visit visit, unsigned& budget) {
  if (!map.IsMap() || budget == 0) return false;
  --budget;
  if (visit(map)) return true;
  for (const auto& entry : map) {
    if (!entry.first.IsScalar() || entry.first.Scalar() != "<<") continue;
    if (entry.second.IsMap()) return each_merged(entry.second, visit, budget);
    if (!entry.second.IsSequence()) return false;
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [&](const YAML::Node& merged) { return each_merged(merged, visit, budget); });
  }
  return false;
}

/// Whether blanks and a tab begin the line, which counts from 0.
bool is_indented_by_tab(std::string_view text, int line) {
  for (; line > 0 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::size_t begin = text.find_first_not_of(' ');
  return begin != std::string_view::npos && text[begin] == '\t';
}

}  // namespace

Result<Documents> load_documents(const std::string& text, std::string_view file_name) {
  try {
    ScalarCollector collector;
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(collector)) continue;
    Documents documents{YAML::LoadAll(text), std::move(collector.values)};
    const bool empty = std::all_of(documents.roots.begin(), documents.roots.end(),
                                   [](const YAML::Node& root) { return root.IsNull(); });
    if (empty) return make_error(ErrorCode::kConfig, fmt::format("{}:1:1: the compose file is empty", file_name));
    return documents;
  } catch (const YAML::Exception& problem) {
    return make_error(
        ErrorCode::kConfig,
        fmt::format("{}:{}:{}: {}", file_name, problem.mark.line + 1, problem.mark.column + 1, problem.msg),
        is_indented_by_tab(text, problem.mark.line) ? "YAML is indented with spaces, not with tabs" : "");
  }
}

YAML::Node get(const YAML::Node& map, const std::string& key) {
  YAML::Node found(YAML::NodeType::Undefined);
  unsigned budget = kMaxMerges;
  each_merged(
      map,
      [&](const YAML::Node& each) {
        for (const auto& entry : each) {
          if (!entry.first.IsScalar() || entry.first.Scalar() != key) continue;
          found.reset(entry.second);
          return true;
        }
        return false;
      },
      budget);
  return found;
}

std::vector<std::pair<std::string, YAML::Node>> entries(const YAML::Node& map) {
  std::vector<std::pair<std::string, YAML::Node>> all;
  unsigned budget = kMaxMerges;
  each_merged(
      map,
      [&](const YAML::Node& each) {
        for (const auto& entry : each) {
          if (!entry.first.IsScalar() || entry.first.Scalar() == "<<") continue;
          const bool known =
              std::any_of(all.begin(), all.end(), [&](const auto& e) { return e.first == entry.first.Scalar(); });
          if (!known) all.emplace_back(entry.first.Scalar(), entry.second);
        }
        return false;
      },
      budget);
  return all;
}

YAML::Node key_node(const YAML::Node& map, const std::string& key) {
  for (const auto& entry : map) {
    if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.first;
  }
  return map;
}

std::vector<YAML::Node> as_list(const YAML::Node& node) {
  if (!node.IsDefined() || node.IsNull()) return {};
  if (!node.IsSequence()) return {node};
  return {node.begin(), node.end()};
}

std::string text(const YAML::Node& node) { return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string(); }

std::string place(std::string_view file_name, const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? std::string(file_name) : fmt::format("{}:{}:{}", file_name, mark.line + 1, mark.column + 1);
}

unsigned line(const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? 0 : static_cast<unsigned>(mark.line) + 1;
}

}  // namespace otto::compose::yaml
