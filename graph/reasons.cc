#include "graph/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "graph/base/result.h"
#include "graph/line_diff.h"

namespace otto::graph {

namespace {

constexpr std::array<std::pair<ReasonKind, std::string_view>, 23> kReasonNames = {{
    {ReasonKind::kNeverBuilt, "never-built"},
    {ReasonKind::kDockerfileChanged, "dockerfile-changed"},
    {ReasonKind::kFileAdded, "file-added"},
    {ReasonKind::kFileRemoved, "file-removed"},
    {ReasonKind::kFileChanged, "file-changed"},
    {ReasonKind::kModeChanged, "mode-changed"},
    {ReasonKind::kIgnoreChanged, "ignore-changed"},
    {ReasonKind::kBuildArgChanged, "build-arg-changed"},
    {ReasonKind::kTargetChanged, "target-changed"},
    {ReasonKind::kPlatformChanged, "platform-changed"},
    {ReasonKind::kUpstreamChanged, "upstream-changed"},
    {ReasonKind::kBaseChanged, "base-changed"},
    {ReasonKind::kMissingOnParent, "missing-on-parent"},
    {ReasonKind::kForced, "forced"},
    {ReasonKind::kDefinitionChanged, "definition-changed"},
    {ReasonKind::kImageChanged, "image-changed"},
    {ReasonKind::kStagedFileChanged, "staged-file-changed"},
    {ReasonKind::kSecretChanged, "secret-changed"},
    {ReasonKind::kVariableChanged, "variable-changed"},
    {ReasonKind::kDependency, "dependency"},
    {ReasonKind::kMissing, "missing"},
    {ReasonKind::kStopped, "stopped"},
    {ReasonKind::kPutRight, "put-right"},
}};

using Components = std::vector<const Component*>;

Components of_kind(const Fingerprint& fingerprint, ComponentKind kind) {
  Components found;
  for (const Component& component : fingerprint.components) {
    if (component.kind == kind) found.push_back(&component);
  }
  return found;
}

/// One input that differs: null where that side does not have it.
struct Difference {
  const Component* before = nullptr;
  const Component* now = nullptr;
  [[nodiscard]] const std::string& subject() const { return now != nullptr ? now->subject : before->subject; }
  [[nodiscard]] bool counted() const {
    return (before != nullptr && before->counted) || (now != nullptr && now->counted);
  }
  [[nodiscard]] std::string_view verb() const {
    return before == nullptr ? "added" : now == nullptr ? "removed" : "changed";
  }
};

/// The components of one kind that differ. `by_subject`: those of the same subject are compared; else those at the same
/// place, because the subject is a place on this machine and no input.
std::vector<Difference> differences(const BuiltFrom& before, const BuiltFrom& now, ComponentKind kind,
                                    bool by_subject) {
  const Components old_ones = of_kind(before.fingerprint, kind), new_ones = of_kind(now.fingerprint, kind);
  std::vector<Difference> found;
  std::size_t i = 0, j = 0;
  while (i < old_ones.size() || j < new_ones.size()) {
    const Component* old_one = i < old_ones.size() ? old_ones[i] : nullptr;
    const Component* new_one = j < new_ones.size() ? new_ones[j] : nullptr;
    if (by_subject && old_one != nullptr && new_one != nullptr && old_one->subject != new_one->subject) {
      (old_one->subject < new_one->subject ? new_one : old_one) = nullptr;
    }
    i += old_one != nullptr ? 1 : 0;
    j += new_one != nullptr ? 1 : 0;
    const bool same = old_one != nullptr && new_one != nullptr && old_one->digest == new_one->digest &&
                      old_one->counted == new_one->counted;
    if (same) continue;
    found.push_back({old_one, new_one});
  }
  return found;
}

std::string hash_change(const Difference& difference) {
  if (difference.before == nullptr || difference.now == nullptr) return std::string(difference.verb());
  if (difference.before->digest == difference.now->digest)
    return difference.now->counted ? "counts from now on" : "counts no more";
  return digest_change(difference.before->digest, difference.now->digest);
}

std::string mode_change(const ContextManifest& before, const ContextManifest& now, std::string_view path) {
  const ContextEntry* old_entry = before.find(path);
  const ContextEntry* new_entry = now.find(path);
  if (old_entry == nullptr || new_entry == nullptr) return {};
  return fmt::format("{:04o} → {:04o}", old_entry->mode, new_entry->mode);
}

void explain_files(const BuiltFrom& before, const BuiltFrom& now, const ManifestDiff& changes,
                   std::vector<Reason>& reasons) {
  for (const std::string& path : changes.added) reasons.push_back({ReasonKind::kFileAdded, path, {}});
  for (const std::string& path : changes.removed) reasons.push_back({ReasonKind::kFileRemoved, path, {}});
  for (const std::string& path : changes.changed) reasons.push_back({ReasonKind::kFileChanged, path, {}});
  for (const std::string& path : changes.mode_changed) {
    reasons.push_back({ReasonKind::kModeChanged, path, mode_change(*before.context, *now.context, path)});
  }
  // Ignore rules count through the entries they select: without one that came or went they changed nothing.
  if (changes.added.empty() && changes.removed.empty()) return;
  for (const Difference& rules : differences(before, now, ComponentKind::kIgnore, false)) {
    reasons.push_back({ReasonKind::kIgnoreChanged, rules.subject(), std::string(rules.verb())});
  }
}

void explain_context(const BuiltFrom& before, const BuiltFrom& now, std::vector<Reason>& reasons) {
  const std::vector<Difference> contexts = differences(before, now, ComponentKind::kContext, false);
  if (contexts.empty()) return;
  const ManifestDiff changes = before.context && now.context ? diff(*before.context, *now.context) : ManifestDiff{};
  if (!changes.empty()) return explain_files(before, now, changes, reasons);
  for (const Difference& context : contexts) {
    reasons.push_back({ReasonKind::kFileChanged, context.subject(),
                       "which files is not known: those of the last build are not remembered"});
  }
}

struct Rule {
  ComponentKind component;
  ReasonKind reason;
  bool by_subject;
};

/// Every kind of input but contexts and their ignore rules.
constexpr std::array<Rule, 7> kRules = {{
    {ComponentKind::kDockerfile, ReasonKind::kDockerfileChanged, false},
    {ComponentKind::kBuildArg, ReasonKind::kBuildArgChanged, true},
    {ComponentKind::kTarget, ReasonKind::kTargetChanged, false},
    {ComponentKind::kPlatform, ReasonKind::kPlatformChanged, false},
    {ComponentKind::kUpstream, ReasonKind::kUpstreamChanged, true},
    {ComponentKind::kBase, ReasonKind::kBaseChanged, true},
    {ComponentKind::kOption, ReasonKind::kBuildArgChanged, true},
}};

std::string line_changes(const BuiltFrom& before, const BuiltFrom& now) {
  return before.dockerfile && now.dockerfile ? describe_line_changes(*before.dockerfile, *now.dockerfile) : "";
}

/// Of a component whose subject is its value, which is no secret; `word`: what it is called, and what an older otto
/// took for the subject.
std::string value_change(const Difference& difference, std::string_view word) {
  const auto known = [&](const Component* component) { return component != nullptr && component->subject != word; };
  if (known(difference.before) && known(difference.now)) {
    return fmt::format("{} → {}", difference.before->subject, difference.now->subject);
  }
  const Component* only = difference.now != nullptr ? difference.now : difference.before;
  const bool is_one = difference.before == nullptr || difference.now == nullptr;
  return fmt::format("{}{}", difference.verb(), is_one && known(only) ? ": " + only->subject : "");
}

bool is_value(ComponentKind kind) { return kind == ComponentKind::kTarget || kind == ComponentKind::kPlatform; }

std::string detail_of(const Difference& difference, ComponentKind kind, const BuiltFrom& before, const BuiltFrom& now) {
  if (kind == ComponentKind::kDockerfile) {
    if (std::string lines = line_changes(before, now); !lines.empty()) return lines;
  }
  if (is_value(kind)) return value_change(difference, kind_name(kind));
  const bool is_hash = kind == ComponentKind::kUpstream || kind == ComponentKind::kBase;
  return is_hash ? hash_change(difference) : std::string(difference.verb());
}

}  // namespace

std::string_view reason_name(ReasonKind kind) {
  for (const auto& [known, name] : kReasonNames) {
    if (known == kind) return name;
  }
  panic("unknown reason kind", __FILE__, __LINE__);
}

std::optional<ReasonKind> reason_from_name(std::string_view name) {
  for (const auto& [kind, known] : kReasonNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string in_short(std::span<const Reason> reasons) {
  if (reasons.empty()) return {};
  const Reason& first = reasons.front();
  return fmt::format("{}{}{}{}", reason_name(first.kind), first.subject.empty() ? "" : " ", first.subject,
                     reasons.size() == 1 ? "" : fmt::format(", and {} more", reasons.size() - 1));
}

std::string digest_change(const Digest& before, const Digest& now) {
  constexpr std::size_t kShown = 12;
  return fmt::format("hash {}… → {}…", before.hex().substr(0, kShown), now.hex().substr(0, kShown));
}

std::vector<Reason> explain_change(const BuiltFrom& before, const BuiltFrom& now) {
  if (before.fingerprint.hash == now.fingerprint.hash) return {};
  std::vector<Reason> reasons;
  explain_context(before, now, reasons);
  for (const Rule& rule : kRules) {
    for (const Difference& difference : differences(before, now, rule.component, rule.by_subject)) {
      if (!difference.counted()) continue;
      const std::string subject(is_value(rule.component) ? std::string(kind_name(rule.component))
                                                         : difference.subject());
      reasons.push_back({rule.reason, subject, detail_of(difference, rule.component, before, now)});
    }
  }
  if (reasons.empty()) {
    reasons.push_back({ReasonKind::kNeverBuilt, {}, "the last build was recorded by an otto that counted differently"});
  }
  std::sort(reasons.begin(), reasons.end(),
            [](const Reason& a, const Reason& b) { return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject); });
  return reasons;
}

}  // namespace otto::graph
