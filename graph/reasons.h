// Why a node is stale: typed causes, computed once from two fingerprints and used for both the verdict and its
// explanation.
//
// Their kinds are part of the JSON, and stable. Pure.
#pragma once

#include <optional>
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

/// For people: "hash 1a2b… → 3c4d…".
std::string digest_change(const Digest& before, const Digest& now);

/// Why `now` is not what `before` was. Empty: the fingerprints are equal.
std::vector<Reason> explain_change(const BuiltFrom& before, const BuiltFrom& now);

}  // namespace otto::graph
