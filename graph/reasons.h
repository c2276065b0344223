// Why a node is stale: typed causes, computed once from two fingerprints and used for both the verdict and its
// explanation.
//
// Their kinds are part of the JSON, and stable. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/context_manifest.h"
#include "graph/fingerprint.h"

namespace otto::graph {

enum class ReasonKind {
  kNeverBuilt,
  kDockerfileChanged,
  kFileAdded,
  kFileRemoved,
  kFileChanged,
  kModeChanged,
  kIgnoreChanged,
  kBuildArgChanged,
  kTargetChanged,
  kPlatformChanged,
  kUpstreamChanged,
  kBaseChanged,
  kMissingOnParent,
  kForced,
  // Of services:
  kDefinitionChanged,  ///< a key of its definition; the subject is the key's path
  kImageChanged,       ///< the subject is the image
  kStagedFileChanged,  ///< a file beside the compose files that it is made from
  kSecretChanged,      ///< the subject is the secret's name; its content is never told
  kVariableChanged,    ///< of the client's environment; the subject is its name
  kDependency,         ///< the subject is a service that it follows
  kMissing,            ///< it has too few containers
  kStopped,            ///< its container does not run
  kPutRight,           ///< an interrupted command had begun to replace it
};
/// The spelling in JSON and text: "never-built", "file-changed", ….
std::string_view reason_name(ReasonKind kind);
std::optional<ReasonKind> reason_from_name(std::string_view name);

struct Reason {
  ReasonKind kind = ReasonKind::kNeverBuilt;
  std::string subject;  ///< a path, a build arg's name, an image's name; may be empty
  std::string detail;   ///< for people: "hash 1a2b… → 3c4d…"; may be empty
  bool operator==(const Reason&) const = default;
};

/// What a build was made from, as far as it is remembered.
struct BuiltFrom {
  Fingerprint fingerprint;
  std::optional<ContextManifest> context;      ///< absent: file-level reasons cannot be named
  std::optional<std::string> dockerfile = {};  ///< its text; absent: its lines cannot be named
};

/// For people: "file-changed app.py, and 2 more"; empty for none.
std::string in_short(std::span<const Reason> reasons);

/// For people: "hash 1a2b… → 3c4d…".
std::string digest_change(const Digest& before, const Digest& now);

/// Why `now` is not what `before` was. Empty: the fingerprints are equal.
std::vector<Reason> explain_change(const BuiltFrom& before, const BuiltFrom& now);

}  // namespace otto::graph
