#include "graph/fingerprint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "graph/base/result.h"

namespace otto::graph {

namespace {

constexpr std::string_view kHashedImage = "otto-image-1";
constexpr std::string_view kStoredFingerprint = "otto-fingerprint-1";

constexpr std::array<std::pair<ComponentKind, std::string_view>, 9> kKindNames = {{
    {ComponentKind::kDockerfile, "dockerfile"},
    {ComponentKind::kContext, "context"},
    {ComponentKind::kIgnore, "ignore"},
    {ComponentKind::kBuildArg, "build-arg"},
    {ComponentKind::kTarget, "target"},
    {ComponentKind::kPlatform, "platform"},
    {ComponentKind::kUpstream, "upstream"},
    {ComponentKind::kBase, "base"},
    {ComponentKind::kOption, "option"},
}};

/// Whether a component's subject is part of its identity: a build arg's name is, the path of a Dockerfile is not.
bool subject_counts(ComponentKind kind) {
  return kind == ComponentKind::kBuildArg || kind == ComponentKind::kUpstream || kind == ComponentKind::kBase ||
         kind == ComponentKind::kOption;
}

}  // namespace

std::string_view kind_name(ComponentKind kind) {
  for (const auto& [known, name] : kKindNames) {
    if (known == kind) return name;
  }
  panic("unknown component kind", __FILE__, __LINE__);
}

std::optional<ComponentKind> kind_from_name(std::string_view name) {
  for (const auto& [kind, known] : kKindNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

void append_field(std::string& out, std::string_view field) {
  std::array<char, 20> digits;  // of any size
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), field.size()).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += ':';
  out += field;
  out += '\n';
}

std::optional<std::string_view> take_field(std::string_view& in) {
  std::size_t length = 0;
  const auto [end, failure] = std::from_chars(in.data(), in.data() + in.size(), length);
  const auto digits = static_cast<std::size_t>(end - in.data());
  const bool canonical = digits == 1 || (digits > 1 && in[0] != '0');
  if (failure != std::errc() || !canonical || digits >= in.size() || in[digits] != ':') return std::nullopt;
  const std::string_view rest = in.substr(digits + 1);
  if (length >= rest.size() || rest[length] != '\n') return std::nullopt;
  in = rest.substr(length + 1);
  return rest.substr(0, length);
}

void FingerprintBuilder::add(ComponentKind kind, std::string subject, std::string_view value) {
  add_digest(kind, std::move(subject), sha256(value));
}

void FingerprintBuilder::add_digest(ComponentKind kind, std::string subject, const Digest& digest) {
  components_.push_back({kind, std::move(subject), digest, true});
}

void FingerprintBuilder::explain_only(ComponentKind kind, std::string subject, const Digest& digest) {
  components_.push_back({kind, std::move(subject), digest, false});
}

Fingerprint FingerprintBuilder::finish() && {
  const auto order = [](const Component& a, const Component& b) {
    return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject);
  };
  std::sort(components_.begin(), components_.end(), order);
  std::string encoding;
  append_field(encoding, kHashedImage);
  for (const Component& component : components_) {
    if (!component.counted) continue;
    append_field(encoding, kind_name(component.kind));
    append_field(encoding, subject_counts(component.kind) ? std::string_view(component.subject) : std::string_view());
    append_field(encoding, component.digest.raw());
  }
  return {std::move(components_), sha256(encoding)};
}

std::string serialize(const Fingerprint& fingerprint) {
  std::string out;
  append_field(out, kStoredFingerprint);
  append_field(out, fingerprint.hash.raw());
  for (const Component& component : fingerprint.components) {
    append_field(out, kind_name(component.kind));
    append_field(out, component.subject);
    append_field(out, component.digest.raw());
    append_field(out, component.counted ? "1" : "0");
  }
  return out;
}

namespace {

std::optional<Digest> take_digest(std::string_view& in) {
  const auto field = take_field(in);
  Digest digest;
  if (!field || field->size() != digest.bytes.size()) return std::nullopt;
  std::copy(field->begin(), field->end(), digest.bytes.begin());
  return digest;
}

std::optional<Component> take_component(std::string_view& in) {
  const auto name = take_field(in);
  const auto kind = name ? kind_from_name(*name) : std::nullopt;
  if (!kind) return std::nullopt;
  const auto subject = take_field(in);
  if (!subject) return std::nullopt;
  const auto digest = take_digest(in);
  if (!digest) return std::nullopt;
  const auto counted = take_field(in);
  if (!counted || (*counted != "1" && *counted != "0")) return std::nullopt;
  return Component{*kind, std::string(*subject), *digest, *counted == "1"};
}

}  // namespace

std::optional<Fingerprint> parse_fingerprint(std::string_view bytes) {
  if (take_field(bytes) != kStoredFingerprint) return std::nullopt;
  Fingerprint fingerprint;
  const auto hash = take_digest(bytes);
  if (!hash) return std::nullopt;
  fingerprint.hash = *hash;
  while (!bytes.empty()) {
    auto component = take_component(bytes);
    if (!component) return std::nullopt;
    fingerprint.components.push_back(std::move(*component));
  }
  return fingerprint;
}

}  // namespace otto::graph
