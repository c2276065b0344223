// A YAML document as the compose files' rules need it: a tree of values that know their place, with aliases, merge keys
// and Compose's tags resolved.
//
// yaml-cpp reads the text; the tree is made from its events, because its own nodes tell neither an alias nor `!reset
// null`. Refused as Compose's reader (gopkg.in/yaml.v3) refuses it: a key that is there twice, a key that is no text,
// an alias to what it stands in, aliases that repeat beyond reason. Must not know what compose keys mean. Values only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/compose/interpolation.h"
#include "graph/base/result.h"

namespace otto::compose {

/// Where relative paths of a file begin and what its variables hold.
struct Scope {
  std::filesystem::path directory;
  Lookup lookup;
};

/// Compose's `!reset` (what stands there before is taken away) and `!override` (it is replaced, not merged with).
enum class MergeTag : std::uint8_t { kNone, kReset, kOverride };

struct Node {
  enum class Kind : std::uint8_t { kAbsent, kNull, kScalar, kSequence, kMap };
  struct Member;

  Kind kind = Kind::kAbsent;
  MergeTag tag = MergeTag::kNone;
  bool plain = false;                 ///< a scalar without quotes, which may be a number
  bool partial = false;               ///< a service that extends one that only the parent can read
  const std::string* file = nullptr;  ///< its name, for messages; outlives the node
  unsigned line = 0, column = 0;      ///< from 1
  const Scope* scope = nullptr;       ///< of its file; outlives the node
  std::string written;                ///< a scalar's text as the file has it
  std::string text;                   ///< the same with variables put in
  std::vector<Node> items;            ///< of a sequence
  std::vector<Member> members;        ///< of a map, as written

  [[nodiscard]] bool is_map() const { return kind == Kind::kMap; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::kSequence; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  /// Absent or null.
  [[nodiscard]] bool is_nothing() const { return kind == Kind::kAbsent || kind == Kind::kNull; }

  /// Of a map; an absent node where there is none.
  [[nodiscard]] const Node& get(std::string_view key) const;
  [[nodiscard]] const Member* member(std::string_view key) const;
  [[nodiscard]] Member* member(std::string_view key);
  void erase(std::string_view key);
  /// Nothing as an empty list, a scalar or map as a list of one.
  [[nodiscard]] std::vector<const Node*> as_list() const;
  /// A scalar's text as Compose has it in a place for any type: a plain 1.10 is "1.1" (typed_scalar.cc). Empty for
  /// anything else.
  [[nodiscard]] std::string typed_text() const;
  /// A truth value in one of the spellings that Compose takes; `otherwise` where it is none.
  [[nodiscard]] bool truth(bool otherwise) const;
  /// "FILE:LINE:COLUMN".
  [[nodiscard]] std::string place() const;
};

struct Node::Member {
  std::string key;
  unsigned line = 0, column = 0;
  Node value;
  [[nodiscard]] std::string place() const;
};

/// The documents of a file, nulls left out. `file` and `scope` outlive them. kConfig "FILE:LINE:COLUMN: …".
Result<std::vector<Node>> parse_documents(const std::string& text, const std::string& file, const Scope& scope);

/// Adds the names of the variables that its texts and keys take.
void collect_variables(const Node& node, std::set<std::string>& names);

/// Puts variables into every scalar. kConfig with the place.
Result<void> put_variables_in(Node& node);

/// A plain scalar as a Go program that reads YAML has it, and writes it again: 0755 is "493", 1_000 "1000", True
/// "true". By the rules of gopkg.in/yaml.v3 (resolve.go) and of Go's fmt.Sprint.
std::string go_text(const std::string& plain);
/// Whether such a program reads it as text.
bool is_go_text(const std::string& plain);
/// Whether it is YAML's word for nothing.
bool is_null_word(const std::string& plain);

}  // namespace otto::compose
