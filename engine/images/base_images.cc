#include "engine/images/base_images.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <unordered_map>

#include "engine/images/dockerfile.h"
#include "engine/workspace/names.h"

namespace otto::images {

namespace {

using graph::ComponentKind;

using Settled = std::unordered_map<std::string_view, const ImageInputs*>;

/// The hash says nothing about these: untracked base images of its own and of what it is built from.
std::vector<std::string> loose_bases(const Settled& settled, const ImageInputs& image) {
  std::set<std::string> loose;
  for (const std::string& base : image.external) {
    if (!image.settings->track_base && is_movable(base)) loose.insert(base);
  }
  for (const Upstream& upstream : image.upstreams) {
    const ImageInputs& known = *settled.at(upstream.image);
    loose.insert(known.loose_bases.begin(), known.loose_bases.end());
  }
  return {loose.begin(), loose.end()};
}

void settle(const Settled& settled, ImageInputs& image, const BaseIds& ids) {
  graph::FingerprintBuilder builder = image.parts;
  std::set<std::string> unknown;
  for (const Upstream& upstream : image.upstreams) {
    const ImageInputs& known = *settled.at(upstream.image);
    unknown.insert(known.unknown_bases.begin(), known.unknown_bases.end());
    builder.add_digest(ComponentKind::kUpstream, upstream.image, known.fingerprint.hash);
  }
  for (const std::string& base : image.external) {
    if (!image.settings->track_base || !is_movable(base)) continue;
    const auto id = ids.find(base);
    if (id == ids.end()) {
      unknown.insert(base);
    } else {
      builder.add_digest(ComponentKind::kBase, base, id->second);
    }
  }
  image.loose_bases = loose_bases(settled, image);
  for (const std::string& base : image.loose_bases) {
    const bool counts = image.settings->track_base && std::ranges::find(image.external, base) != image.external.end();
    const auto id = ids.find(base);
    if (!counts && id != ids.end()) builder.explain_only(ComponentKind::kBase, base, id->second);
  }
  image.fingerprint = std::move(builder).finish();
  image.unknown_bases.assign(unknown.begin(), unknown.end());
  image.hash = unknown.empty() ? image.fingerprint.hash.tag() : "";
  image.tag = unknown.empty() ? image.repository + ":" + image.hash : "";
}

bool is_loose(const graph::Component& component) {
  return component.kind == ComponentKind::kBase && !component.counted;
}

void restore_order(graph::Fingerprint& fingerprint) {
  std::ranges::stable_sort(fingerprint.components, [](const graph::Component& a, const graph::Component& b) {
    return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject);
  });
}

}  // namespace

void settle_bases(RepoInputs& inputs, const BaseIds& ids) {
  Settled settled;
  for (ImageInputs& image : inputs.images) {
    settle(settled, image, ids);
    settled.emplace(image.name(), &image);
  }
}

graph::Fingerprint with_loose_bases(graph::Fingerprint fingerprint, const graph::Fingerprint* from) {
  std::erase_if(fingerprint.components, is_loose);
  if (from == nullptr) return fingerprint;
  std::ranges::copy_if(from->components, std::back_inserter(fingerprint.components), is_loose);
  restore_order(fingerprint);
  return fingerprint;
}

std::map<std::string, std::string> loose_bases_of(const graph::Fingerprint& fingerprint) {
  std::map<std::string, std::string> loose;
  for (const graph::Component& component : fingerprint.components) {
    if (is_loose(component)) loose.emplace(component.subject, "sha256:" + component.digest.hex());
  }
  return loose;
}

void add_fetched_bases(graph::Fingerprint& fingerprint, const ImageInputs& image,
                       const std::map<std::string, std::string>& fetched) {
  const auto same = [](const std::string& a, const std::string& b) {
    const workspace::ParsedReference left = workspace::parse_reference(a), right = workspace::parse_reference(b);
    const auto tag = [](const workspace::ParsedReference& of) { return of.tag.empty() ? "latest" : of.tag; };
    return left.repository == right.repository && tag(left) == tag(right);
  };
  for (const std::string& base : image.loose_bases) {
    const bool known = std::ranges::any_of(fingerprint.components, [&](const graph::Component& component) {
      return component.kind == ComponentKind::kBase && component.subject == base;
    });
    for (const auto& [reference, digest] : fetched) {
      const auto parsed = image_digest(digest);
      if (!known && parsed && same(base, reference))
        fingerprint.components.push_back({ComponentKind::kBase, base, *parsed, false});
    }
  }
  restore_order(fingerprint);
}

bool is_movable(std::string_view reference) {
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/";
  return !reference.empty() && reference.front() != '-' &&
         reference.find_first_not_of(kCharacters) == std::string_view::npos;
}

std::optional<graph::Digest> image_digest(std::string_view id) {
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!id.starts_with(kAlgorithm)) return std::nullopt;
  return graph::Digest::from_hex(id.substr(kAlgorithm.size()));
}

}  // namespace otto::images
