#include "engine/compose/merge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "engine/compose/compose_file.h"

namespace otto::compose {

namespace {

enum class Rule : std::uint8_t { kUsual, kReplace, kList, kNames, kBuild, kLogging };

/// What holds for the values at a path.
template <typename T>
struct At {
  std::string_view path;  ///< '*' is any key
  T value;
};

constexpr auto kSpecial = std::to_array<At<Rule>>({
    {"networks.*.labels", Rule::kList},
    {"volumes.*.labels", Rule::kList},
    {"services.*.annotations", Rule::kList},
    {"services.*.build", Rule::kBuild},
    {"services.*.build.args", Rule::kList},
    {"services.*.build.additional_contexts", Rule::kList},
    {"services.*.build.extra_hosts", Rule::kList},
    {"services.*.build.labels", Rule::kList},
    {"services.*.command", Rule::kReplace},
    {"services.*.depends_on", Rule::kNames},
    {"services.*.deploy.labels", Rule::kList},
    {"services.*.dns", Rule::kList},
    {"services.*.dns_opt", Rule::kList},
    {"services.*.dns_search", Rule::kList},
    {"services.*.entrypoint", Rule::kReplace},
    {"services.*.env_file", Rule::kList},
    {"services.*.label_file", Rule::kList},
    {"services.*.environment", Rule::kList},
    {"services.*.extra_hosts", Rule::kList},
    {"services.*.healthcheck.test", Rule::kReplace},
    {"services.*.labels", Rule::kList},
    {"services.*.logging", Rule::kLogging},
    {"services.*.models", Rule::kNames},
    {"services.*.networks", Rule::kNames},
    {"services.*.sysctls", Rule::kList},
    {"services.*.tmpfs", Rule::kList},
    {"services.*.ulimits.*", Rule::kReplace},
});

/// What tells the items of a list apart.
enum class Identity : std::uint8_t { kName, kTarget, kSecret, kConfig, kEnvFile };

constexpr auto kNamed = std::to_array<At<Identity>>({
    {"services.*.annotations", Identity::kName},
    {"services.*.build.args", Identity::kName},
    {"services.*.build.additional_contexts", Identity::kName},
    {"services.*.build.labels", Identity::kName},
    {"services.*.build.tags", Identity::kName},
    {"services.*.cap_add", Identity::kName},
    {"services.*.cap_drop", Identity::kName},
    {"services.*.configs", Identity::kConfig},
    {"services.*.deploy.labels", Identity::kName},
    {"services.*.dns", Identity::kName},
    {"services.*.dns_opt", Identity::kName},
    {"services.*.dns_search", Identity::kName},
    {"services.*.env_file", Identity::kEnvFile},
    {"services.*.environment", Identity::kName},
    {"services.*.extra_hosts", Identity::kName},
    {"services.*.labels", Identity::kName},
    {"services.*.profiles", Identity::kName},
    {"services.*.secrets", Identity::kSecret},
    {"services.*.sysctls", Identity::kName},
    {"services.*.tmpfs", Identity::kName},
    {"services.*.volumes", Identity::kTarget},
});

bool matches(const NodePath& path, std::string_view pattern) {
  for (std::size_t at = 0;; ++at) {
    const std::size_t dot = pattern.find('.');
    const std::string_view part = pattern.substr(0, dot);
    if (at == path.size() || (part != "*" && part != path[at])) return false;
    if (dot == std::string_view::npos) return at + 1 == path.size();
    pattern.remove_prefix(dot + 1);
  }
}

template <typename T, std::size_t kSize>
std::optional<T> find_at(const std::array<At<T>, kSize>& table, const NodePath& path) {
  const auto found = std::ranges::find_if(table, [&](const At<T>& one) { return matches(path, one.path); });
  return found == table.end() ? std::nullopt : std::optional(found->value);
}

/// A list, as `NAME=value` items where it was a map.
Node into_list(Node node) {
  if (node.is_sequence() || node.kind == Node::Kind::kAbsent) return node;
  Node list = node;
  list.kind = Node::Kind::kSequence;
  list.members.clear();
  list.written.clear();
  list.text.clear();
  const auto add = [&list](const Node::Member& member, const Node& value) {
    Node item = value;
    item.kind = Node::Kind::kScalar;
    item.plain = false;
    item.line = member.line;
    item.column = member.column;
    item.written = member.key + (value.is_nothing() ? "" : "=" + value.written);
    item.text = member.key + (value.is_nothing() ? "" : "=" + value.typed_text());
    list.items.push_back(std::move(item));
  };
  if (node.is_scalar()) list.items.push_back(std::move(node));
  for (const Node::Member& member : node.members) {
    for (const Node& item : member.value.items) add(member, item);
    if (!member.value.is_sequence()) add(member, member.value);
  }
  return list;
}

/// A map, of nulls where it was a list of names.
Node into_map(Node node) {
  if (!node.is_sequence()) return node;
  Node map = node;
  map.kind = Node::Kind::kMap;
  map.items.clear();
  for (const Node& item : node.items) {
    Node value = item;
    value.kind = Node::Kind::kNull;
    if (map.member(item.text) == nullptr) map.members.push_back({item.text, item.line, item.column, std::move(value)});
  }
  return map;
}

/// `build: PATH` as `build: {context: PATH}`.
Node into_build(Node node) {
  if (!node.is_scalar()) return node;
  Node map = node;
  map.kind = Node::Kind::kMap;
  map.members.push_back({"context", node.line, node.column, std::move(node)});
  return map;
}

/// What is joined is named by where it was written last.
void take_place(Node& base, const Node& over) {
  base.file = over.file;
  base.line = over.line;
  base.column = over.column;
  base.scope = over.scope;
}

void join_members(Node& base, Node over, const NodePath& path) {
  for (Node::Member& member : over.members) {
    Node::Member* known = base.member(member.key);
    if (known == nullptr) {
      base.members.push_back(std::move(member));
      continue;
    }
    NodePath next = path;
    next.push_back(member.key);
    known->line = member.line;
    known->column = member.column;
    merge(known->value, std::move(member.value), next);
  }
  take_place(base, over);
  base.partial = base.partial || over.partial;
}

/// SOURCE:TARGET[:MODE] or TARGET, or a map with `target`.
std::string target_of(const Node& volume) {
  if (volume.is_map()) return volume.get("target").text;
  const std::size_t colon = volume.text.find(':');
  if (colon == std::string::npos) return volume.text;
  return volume.text.substr(colon + 1, volume.text.find(':', colon + 1) - colon - 1);
}

std::string identity_of(const Node& item, Identity identity) {
  switch (identity) {
    case Identity::kName: return item.text.substr(0, item.text.find('='));
    case Identity::kTarget: return target_of(item);
    case Identity::kEnvFile: {
      const Node& path = item.is_map() ? item.get("path") : item;
      return path.is_scalar() ? (path.scope->directory / path.text).lexically_normal().string() : "";
    }
    case Identity::kSecret:
    case Identity::kConfig: break;
  }
  const std::string folder = identity == Identity::kSecret ? "/run/secrets/" : "/";
  if (!item.is_map()) return folder + item.text;
  const Node& target = item.get("target");
  return target.is_nothing() ? folder + item.get("source").text : target.text;
}

/// An item replaces the earlier one of its name, at that one's place.
void keep_last_of_each(Node& list, Identity identity) {
  std::vector<std::string> names;
  std::vector<Node> kept;
  for (Node& item : list.items) {
    std::string name = identity_of(item, identity);
    const auto known = std::ranges::find(names, name);
    if (known != names.end()) {
      kept[static_cast<std::size_t>(known - names.begin())] = std::move(item);
    } else {
      names.push_back(std::move(name));
      kept.push_back(std::move(item));
    }
  }
  list.items = std::move(kept);
}

void join_lists(Node& base, Node over, const NodePath& path) {
  std::ranges::move(over.items, std::back_inserter(base.items));
  take_place(base, over);
  if (const auto named = find_at(kNamed, path)) keep_last_of_each(base, *named);
}

bool has_other_driver(const Node& base, const Node& over) {
  const Node &had = base.get("driver"), &has = over.get("driver");
  return !had.is_nothing() && !has.is_nothing() && had.text != has.text;
}

void take_tagged(Node& node, NodePath& path, std::vector<NodePath>& found) {
  if (node.tag != MergeTag::kNone) found.push_back(path);
  const auto below = [&](Node& value, std::string key) {
    path.push_back(std::move(key));
    take_tagged(value, path, found);
    path.pop_back();
  };
  for (Node::Member& member : node.members) below(member.value, member.key);
  for (std::size_t i = 0; i < node.items.size(); ++i) below(node.items[i], std::to_string(i));
  std::erase_if(node.members, [](const Node::Member& member) { return member.value.tag == MergeTag::kReset; });
  std::erase_if(node.items, [](const Node& item) { return item.tag == MergeTag::kReset; });
}

/// Whether a text under a key (or in its list) is a path that begins at the folder of its file.
bool is_relative_path(std::string_view key, std::string_view text) {
  constexpr auto kPaths =
      std::to_array<std::string_view>({"build", "context", "env_file", "path", "label_file", "file", "device"});
  if (key == "volumes" || key == "source") return text.starts_with('.') || text.starts_with('~');
  if (key == "security_opt")
    text = seccomp_profile(text);
  else if (std::ranges::find(kPaths, key) == kPaths.end())
    return false;
  return !text.empty() && !text.starts_with('/');
}

/// Below these people name members as they like.
bool has_free_names(std::string_view key) {
  constexpr auto kFree = std::to_array<std::string_view>({"environment", "labels", "args", "annotations", "sysctls"});
  return std::ranges::find(kFree, key) != kFree.end();
}

/// Both stand under `key`.
bool is_same(const Node& a, const Node& b, std::string_view key) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.members.size() != b.members.size()) {
    return false;
  }
  if (a.is_scalar() && is_relative_path(key, a.text) && a.scope->directory != b.scope->directory) return false;
  const auto same_item = [&](const Node& one, const Node& other) { return is_same(one, other, key); };
  const auto same_member = [&](const Node::Member& member) {
    const Node::Member* other = b.member(member.key);
    return other != nullptr && is_same(member.value, other->value, has_free_names(key) ? key : member.key);
  };
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), same_item) &&
         std::ranges::all_of(a.members, same_member);
}

}  // namespace

void merge(Node& base, Node over, const NodePath& path) {
  switch (find_at(kSpecial, path).value_or(Rule::kUsual)) {
    case Rule::kReplace: base = std::move(over); return;
    case Rule::kList:
      base = into_list(std::move(base));
      join_lists(base, into_list(std::move(over)), path);
      return;
    case Rule::kNames:
      base = into_map(std::move(base));
      join_members(base, into_map(std::move(over)), path);
      return;
    case Rule::kBuild:
      base = into_build(std::move(base));
      over = into_build(std::move(over));
      break;
    case Rule::kLogging:
      if (has_other_driver(base, over)) {
        base = std::move(over);
        return;
      }
      break;
    case Rule::kUsual: break;
  }
  if (over.is_nothing()) return;
  if (base.is_map() && over.is_map()) {
    join_members(base, std::move(over), path);
  } else if (base.is_sequence() && over.is_sequence()) {
    join_lists(base, std::move(over), path);
  } else {
    base = std::move(over);
  }
}

void keep_last_of_each(Node& root, const NodePath& path) {
  for (Node::Member& member : root.members) {
    NodePath next = path;
    next.push_back(member.key);
    if (const auto named = find_at(kNamed, next)) keep_last_of_each(member.value, *named);
    constexpr std::size_t kDeepest = 4;
    if (next.size() < kDeepest) keep_last_of_each(member.value, next);
  }
}

std::vector<NodePath> take_tagged(Node& document) {
  std::vector<NodePath> found;
  NodePath path;
  take_tagged(document, path, found);
  return found;
}

void remove_at(Node& root, const std::vector<NodePath>& paths, const NodePath& at) {
  for (const NodePath& path : paths) {
    if (path.size() <= at.size() || !std::equal(at.begin(), at.end(), path.begin())) continue;
    Node* node = &root;
    for (std::size_t i = at.size(); node != nullptr && i + 1 < path.size(); ++i) {
      Node::Member* const next = node->member(path[i]);
      node = next == nullptr ? nullptr : &next->value;
    }
    if (node != nullptr) node->erase(path.back());
  }
}

bool is_same(const Node& a, const Node& b) { return is_same(a, b, std::string_view()); }

}  // namespace otto::compose
