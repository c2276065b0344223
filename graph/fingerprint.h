// Canonical fingerprints: labelled, length-prefixed components, so that no two inputs can be re-spelt into each other.
//
// One walk of a node's inputs feeds two sinks at once (after n2's hash.rs): the SHA-256 that becomes the tag, and the
// list of components that explains it later; they cannot drift apart. docs/fingerprint.md has the encoding and its
// vectors. Must not know where inputs come from. Values only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/digest.h"

namespace otto::graph {

/// Which input a component stands for; the spelling in the encoding is kind_name().
enum class ComponentKind { kDockerfile, kContext, kIgnore, kBuildArg, kTarget, kPlatform, kUpstream, kBase, kOption };
std::string_view kind_name(ComponentKind kind);
std::optional<ComponentKind> kind_from_name(std::string_view name);

/// One input as it is remembered: never its value, only its digest.
struct Component {
  ComponentKind kind = ComponentKind::kDockerfile;
  std::string subject;  ///< a build arg's name, an upstream image's name, a Dockerfile's path, …
  Digest digest;        ///< of the value
  bool counted = true;  ///< false: only explains (ignore rules count through the entries they select)
  bool operator==(const Component&) const = default;
};

struct Fingerprint {
  std::vector<Component> components;  ///< in canonical order: by kind, then subject
  Digest hash;                        ///< of the counted components
};

/// Collects components in any order, then gives the fingerprint.
class FingerprintBuilder {
 public:
  void add(ComponentKind kind, std::string subject, std::string_view value);
  void add_digest(ComponentKind kind, std::string subject, const Digest& digest);
  void explain_only(ComponentKind kind, std::string subject, const Digest& digest);
  [[nodiscard]] Fingerprint finish() &&;

 private:
  std::vector<Component> components_;
};

std::string serialize(const Fingerprint& fingerprint);
std::optional<Fingerprint> parse_fingerprint(std::string_view bytes);

/// One field of the canonical encoding: decimal length, ':', bytes, '\n' (a netstring with a newline).
void append_field(std::string& out, std::string_view field);
/// Takes one field off the head of `in`; nullopt where none is well-formed there.
std::optional<std::string_view> take_field(std::string_view& in);

}  // namespace otto::graph
