#include "engine/stack/service_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace otto::stack {

namespace {

using graph::Reason;
using graph::ReasonKind;

constexpr int kDefinitionVersion = 1;

/// Causes come first; the keys of the definition are where they show.
auto order(const DefinitionPart& part) {
  return std::tuple(part.kind == ReasonKind::kDefinitionChanged, part.kind, std::string_view(part.subject));
}

std::string change(const DefinitionPart* before, const DefinitionPart* now) {
  if (before == nullptr) return now->shown.empty() ? "added" : fmt::format("added: {}", now->shown);
  if (now == nullptr) return before->shown.empty() ? "removed" : fmt::format("removed: {}", before->shown);
  if (before->shown.empty() || now->shown.empty()) return "changed";
  return fmt::format("{} → {}", before->shown, now->shown);
}

}  // namespace

ServiceDefinition make_definition(std::vector<DefinitionPart> parts) {
  std::ranges::stable_sort(parts, {}, order);
  ServiceDefinition definition;
  for (DefinitionPart& part : parts) {
    if (definition.empty() || order(definition.back()) != order(part)) {
      definition.push_back(std::move(part));
      continue;
    }
    DefinitionPart& same = definition.back();
    same.digest = graph::sha256(same.digest.hex() + part.digest.hex());
    same.shown.clear();
  }
  return definition;
}

std::string serialize(const ServiceDefinition& definition) {
  nlohmann::json parts = nlohmann::json::array();
  for (const DefinitionPart& part : definition) {
    parts.push_back({graph::reason_name(part.kind), part.subject, part.digest.hex(), part.shown});
  }
  return nlohmann::json{{"version", kDefinitionVersion}, {"parts", std::move(parts)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ServiceDefinition> parse_stored_definition(std::string_view bytes) {
  try {
    const nlohmann::json document = nlohmann::json::parse(bytes);
    if (document.at("version").get<int>() != kDefinitionVersion) return std::nullopt;
    std::vector<DefinitionPart> parts;
    for (const nlohmann::json& part : document.at("parts")) {
      const auto kind = graph::reason_from_name(part.at(0).get<std::string>());
      const auto digest = graph::Digest::from_hex(part.at(2).get<std::string>());
      if (!kind || !digest) return std::nullopt;
      parts.push_back({*kind, part.at(1).get<std::string>(), *digest, part.at(3).get<std::string>()});
    }
    return make_definition(std::move(parts));
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::vector<Reason> definition_changes(const ServiceDefinition& before, const ServiceDefinition& now) {
  std::vector<Reason> changes;
  auto was = before.begin();
  auto is = now.begin();
  while (was != before.end() || is != now.end()) {
    const bool only_before = is == now.end() || (was != before.end() && order(*was) < order(*is));
    const bool only_now = !only_before && (was == before.end() || order(*is) < order(*was));
    const DefinitionPart* old_part = only_now ? nullptr : &*was;
    const DefinitionPart* new_part = only_before ? nullptr : &*is;
    was += old_part != nullptr ? 1 : 0;
    is += new_part != nullptr ? 1 : 0;
    if (old_part != nullptr && new_part != nullptr && old_part->digest == new_part->digest) continue;
    const DefinitionPart& named = new_part != nullptr ? *new_part : *old_part;
    changes.push_back({named.kind, named.subject, change(old_part, new_part)});
  }
  return changes;
}

}  // namespace otto::stack
