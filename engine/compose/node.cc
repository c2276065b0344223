#include "engine/compose/node.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "graph/base/text.h"

namespace otto::compose {

namespace {

/// Bytes that aliases may repeat in one file.
constexpr std::size_t kMostRepeated = std::size_t{16} << 20;

std::size_t weight(const Node& node) {
  std::size_t sum = sizeof(Node) + node.written.size();
  for (const Node& item : node.items) sum += weight(item);
  for (const Node::Member& member : node.members)
    sum += sizeof(Node::Member) + member.key.size() + weight(member.value);
  return sum;
}

/// Makes the tree. Throws YAML::ParserException, with the place, as yaml-cpp itself does.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, const Scope& scope) : file_(file), scope_(scope) {}

  std::vector<Node> documents;

  void OnDocumentStart(const YAML::Mark& mark) override {
    // On some malformed texts yaml-cpp gives one empty document after the other without reading on.
    if (mark.pos == last_start_) throw YAML::ParserException(mark, "unexpected text");
    last_start_ = mark.pos;
    anchors_.clear();
  }
  void OnDocumentEnd() override {
    if (odd_key_) throw YAML::ParserException(odd_key_->first, odd_key_->second);
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(Node::Kind::kNull, mark, ""), anchor, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw YAML::ParserException(mark, "the alias stands in what it means");
    repeated_ += known->second.second;
    if (repeated_ > kMostRepeated) throw YAML::ParserException(mark, "aliases repeat too much");
    add(known->second.first, 0, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool reset_nothing = tag == "!reset" || tag == "!override";
    constexpr std::string_view kYaml = "tag:yaml.org,2002:";
    const std::string_view type = tag.starts_with(kYaml) ? std::string_view(tag).substr(kYaml.size()) : "";
    if (type == "binary") throw YAML::ParserException(mark, "'!!binary' is not read here: write the text");
    Node node = make(Node::Kind::kScalar, mark, tag);
    node.plain = tag == "?" || (!type.empty() && type != "str");
    if ((node.plain || reset_nothing) && is_null_word(value)) node.kind = Node::Kind::kNull;
    if (node.is_scalar()) node.text = node.written = value;
    add(std::move(node), anchor, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({make(Node::Kind::kSequence, mark, tag), anchor, {}, {}, false});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({make(Node::Kind::kMap, mark, tag), anchor, {}, {}, false});
  }
  void OnMapEnd() override { close(); }

 private:
  /// A sequence or map whose end is still to come.
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    Node::Member next;         ///< whose value comes next, where `has_key`
    std::vector<Node> merged;  ///< of `<<`
    bool has_key = false;
    bool merges = false, has_merged = false;  ///< the next member is `<<`; one was
  };

  Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) const {
    Node node;
    node.kind = kind;
    node.file = &file_;
    node.scope = &scope_;
    node.line = static_cast<unsigned>(mark.line) + 1;
    node.column = static_cast<unsigned>(mark.column) + 1;
    node.tag = tag == "!reset" ? MergeTag::kReset : tag == "!override" ? MergeTag::kOverride : MergeTag::kNone;
    return node;
  }

  void add(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (anchor != 0) anchors_[anchor] = {node, weight(node)};
    if (open_.empty()) {
      documents.push_back(std::move(node));
    } else if (Open& open = open_.back(); open.node.is_sequence()) {
      open.node.items.push_back(std::move(node));
    } else if (!open.has_key) {
      open.next = key(node, mark);
      open.has_key = true;
      open.merges = node.plain && node.written == "<<";
      if (open.merges && std::exchange(open.has_merged, true)) {
        throw YAML::ParserException(mark, "the key '<<' is there already: of several write '<<: [*a, *b]'");
      }
    } else {
      open.has_key = false;
      add_member(open, std::move(node), mark);
    }
  }

  /// One that is no text is told at the document's end: yaml-cpp takes the last item of a list that is not closed for a
  /// key.
  Node::Member key(const Node& node, const YAML::Mark& mark) {
    const bool is_text = node.is_scalar() && (!node.plain || is_go_text(node.written));
    if (!is_text && !odd_key_) {
      const std::string shown = node.is_scalar() ? fmt::format(" ('{}')", text::printable(node.written)) : "";
      odd_key_.emplace(mark, fmt::format("a key that is no text{}", shown));
    }
    return {node.written, node.line, node.column, {}};
  }

  void add_member(Open& open, Node value, const YAML::Mark& mark) {
    if (open.merges) {
      if (value.is_map())
        open.merged.push_back(std::move(value));
      else if (value.is_sequence())
        std::ranges::move(value.items, std::back_inserter(open.merged));
      else
        throw YAML::ParserException(mark, "'<<' merges maps only");
      const auto is_map = [](const Node& node) { return node.is_map(); };
      if (!std::ranges::all_of(open.merged, is_map)) throw YAML::ParserException(mark, "'<<' merges maps only");
      return;
    }
    if (const Node::Member* known = open.node.member(open.next.key)) {
      YAML::Mark place = mark;
      place.line = static_cast<int>(open.next.line) - 1;
      place.column = static_cast<int>(open.next.column) - 1;
      throw YAML::ParserException(
          place, fmt::format("the key '{}' is there already, at line {}", text::printable(known->key), known->line));
    }
    open.next.value = std::move(value);
    open.node.members.push_back(std::move(open.next));
  }

  void close() {
    Open open = std::move(open_.back());
    open_.pop_back();
    for (Node& merged : open.merged) {  // the map's own members win, then the first that has one
      for (Node::Member& member : merged.members) {
        if (open.node.member(member.key) == nullptr) open.node.members.push_back(std::move(member));
      }
    }
    YAML::Mark mark;
    mark.line = static_cast<int>(open.node.line) - 1;
    mark.column = static_cast<int>(open.node.column) - 1;
    add(std::move(open.node), open.anchor, mark);
  }

  const std::string& file_;
  const Scope& scope_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<Node, std::size_t>> anchors_;
  std::size_t repeated_ = 0;
  std::optional<std::pair<YAML::Mark, std::string>> odd_key_;
  int last_start_ = -1;
};

/// Whether blanks and a tab begin the line, which counts from 0.
bool is_indented_by_tab(std::string_view text, int line) {
  for (; line > 0 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::size_t begin = text.find_first_not_of(' ');
  return begin != std::string_view::npos && text[begin] == '\t';
}

/// What helps with the commonest slips; empty: the words say it.
std::string remedy(std::string_view text, const YAML::Exception& problem) {
  const auto says = [&](std::string_view words) { return problem.msg.find(words) != std::string::npos; };
  if (is_indented_by_tab(text, problem.mark.line)) return "YAML is indented with spaces, not with tabs";
  if (says("is there already")) return "take one of the two out";
  if (says("no text")) return "a key that looks like a number, a date or a truth value is text only in quotes";
  if (says("anchor") || says("alias")) return "*NAME means what stands before it in the same document as &NAME";
  return {};
}

std::string place_of(const std::string* file, unsigned line, unsigned column) {
  if (file == nullptr) return {};
  return line == 0 ? *file : fmt::format("{}:{}:{}", *file, line, column);
}

const Node& nothing() {
  static const Node kNothing;
  return kNothing;
}

}  // namespace

const Node& Node::get(std::string_view key) const {
  const Member* known = member(key);
  return known == nullptr ? nothing() : known->value;
}

const Node::Member* Node::member(std::string_view key) const {
  const auto known = std::ranges::find(members, key, &Member::key);
  return known == members.end() ? nullptr : &*known;
}

Node::Member* Node::member(std::string_view key) {
  const auto known = std::ranges::find(members, key, &Member::key);
  return known == members.end() ? nullptr : &*known;
}

void Node::erase(std::string_view key) {
  std::erase_if(members, [&](const Member& member) { return member.key == key; });
}

std::vector<const Node*> Node::as_list() const {
  std::vector<const Node*> all;
  if (is_sequence()) {
    for (const Node& item : items) all.push_back(&item);
  } else if (!is_nothing()) {
    all.push_back(this);
  }
  return all;
}

std::string Node::typed_text() const {
  if (!is_scalar()) return {};
  return plain && written.find('$') == std::string::npos ? go_text(text) : text;
}

bool Node::truth(bool otherwise) const {
  constexpr auto kTrue = std::to_array<std::string_view>({"true", "yes", "y", "on"});
  constexpr auto kFalse = std::to_array<std::string_view>({"false", "no", "n", "off"});
  const std::string word = text::to_lower(text);
  if (std::ranges::find(kTrue, word) != kTrue.end()) return true;
  return std::ranges::find(kFalse, word) == kFalse.end() && otherwise;
}

std::string Node::place() const { return place_of(file, line, column); }
std::string Node::Member::place() const { return place_of(value.file, line, column); }

Result<std::vector<Node>> parse_documents(const std::string& text, const std::string& file, const Scope& scope) {
  try {
    Builder builder(file, scope);
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
    std::erase_if(builder.documents, [](const Node& root) { return root.is_nothing(); });
    if (!builder.documents.empty()) return std::move(builder.documents);
    return make_error(ErrorCode::kConfig, fmt::format("{}:1:1: the compose file is empty", file));
  } catch (const YAML::Exception& problem) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}:{}:{}: {}", file, problem.mark.line + 1, problem.mark.column + 1, problem.msg),
                      remedy(text, problem));
  }
}

void collect_variables(const Node& node, std::set<std::string>& names) {
  const auto take = [&](std::string_view text) {
    if (text.find('$') == std::string_view::npos) return;
    for (std::string& name : interpolated_names(text)) names.insert(std::move(name));
  };
  if (node.is_scalar()) take(node.written);
  for (const Node& item : node.items) collect_variables(item, names);
  for (const Node::Member& member : node.members) {
    take(member.key);
    collect_variables(member.value, names);
  }
}

Result<void> put_variables_in(Node& node) {
  if (node.is_scalar() && node.written.find('$') != std::string::npos) {
    auto expanded = interpolate(node.written, node.scope->lookup);
    if (!expanded.ok()) {
      Error error = std::move(expanded).error();
      error.message = fmt::format("{}: {}", node.place(), text::printable(error.message));
      return error;
    }
    node.text = *std::move(expanded);
  }
  for (Node& item : node.items) OTTO_RETURN_IF_ERROR(put_variables_in(item));
  for (Node::Member& member : node.members) OTTO_RETURN_IF_ERROR(put_variables_in(member.value));
  return {};
}

}  // namespace otto::compose
