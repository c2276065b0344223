#include "engine/workspace/names.h"

#include <fmt/format.h>

#include <cstdlib>

#include "graph/base/account.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

/// Compose allows [a-z0-9][a-z0-9_-]* (compose-spec, "name").
std::string compose_characters(std::string_view text) {
  std::string allowed;
  for (const char c : text::to_lower(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    allowed += plain ? c : '-';
  }
  return allowed;
}

std::string repository(std::string_view registry_url, std::string_view project, std::string_view image) {
  const std::string name = text::to_lower(project) + "-" + std::string(image);
  while (!registry_url.empty() && registry_url.back() == '/') registry_url.remove_suffix(1);
  if (registry_url.empty() || registry_url == "docker.io") return name;
  return std::string(registry_url) + "/" + name;
}

}  // namespace

std::string get_user_compose_project(std::string_view repo_name, const std::optional<std::string>& suffix) {
  std::string tail;
  if (suffix) {
    tail = *suffix;
  } else if (const char* variable = std::getenv("OTTO_COMPOSE_SUFFIX"); variable != nullptr && *variable != '\0') {
    tail = variable;
  } else {
    tail = account().word;
  }
  return "otto-" + compose_characters(repo_name) + "-" + compose_characters(tail);
}

std::string image_full_tag(std::string_view registry_url, std::string_view project, std::string_view image,
                           std::string_view hash) {
  return repository(registry_url, project, image) + ":" + std::string(hash);
}

std::string image_latest_tag(std::string_view registry_url, std::string_view project, std::string_view image) {
  return repository(registry_url, project, image) + ":latest";
}

}  // namespace otto::docker

namespace otto::workspace {

std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number) {
  const std::string base = text::to_lower(fmt::format("{}.{}.{}", parent, project, service));
  return number <= 1 ? base : fmt::format("{}-{}", base, number);
}

ParsedReference parse_reference(std::string_view reference) {
  ParsedReference parsed;
  const std::size_t at = reference.find('@');
  if (at != std::string_view::npos) {
    parsed.digest = reference.substr(at + 1);
    reference = reference.substr(0, at);
  }
  const std::size_t colon = reference.rfind(':');
  const std::size_t last_slash = reference.rfind('/');
  if (colon != std::string_view::npos && (last_slash == std::string_view::npos || colon > last_slash)) {
    parsed.tag = reference.substr(colon + 1);
    reference = reference.substr(0, colon);
  }
  const std::size_t slash = reference.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view host = reference.substr(0, slash);
    if (host == "docker.io" || host == "index.docker.io") {
      reference.remove_prefix(slash + 1);
    }
    const bool official = reference.substr(0, 8) == "library/";
    if (official && reference.find('/', 8) == std::string_view::npos) reference.remove_prefix(8);
  }
  parsed.repository = reference;
  return parsed;
}

std::optional<std::string> own_image_name(std::string_view reference, std::string_view registry_url,
                                          std::string_view project) {
  const ParsedReference named = parse_reference(reference);
  if (!named.digest.empty() || (!named.tag.empty() && named.tag != "latest")) return std::nullopt;
  for (const std::string_view registry : {registry_url, std::string_view()}) {
    std::string prefix = parse_reference(docker::image_latest_tag(registry, project, "x")).repository;
    prefix.pop_back();
    const bool own = named.repository.size() > prefix.size() && named.repository.starts_with(prefix);
    if (own) return named.repository.substr(prefix.size());
  }
  return std::nullopt;
}

}  // namespace otto::workspace
