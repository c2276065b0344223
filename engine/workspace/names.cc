#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "graph/base/text.h"
#include "otto/docker.h"

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

std::string user_name() {
  if (const passwd* entry = getpwuid(geteuid())) return entry->pw_name;
  return std::to_string(geteuid());
}

std::string repository(std::string_view registry_url, std::string_view project, std::string_view image) {
  const std::string name = text::to_lower(project) + "-" + std::string(image);
  while (!registry_url.empty() && registry_url.back() == '/') registry_url.remove_suffix(1);
  if (registry_url.empty() || registry_url == "docker.io") return name;
  return std::string(registry_url) + "/" + name;
}

}  // namespace

std::string_view status_name(ImageStatus status) {
  switch (status) {
    case ImageStatus::kBuilt: return "built";
    case ImageStatus::kCached: return "cached";
    case ImageStatus::kPulled: return "pulled";
    case ImageStatus::kFailed: return "failed";
    case ImageStatus::kSkipped: return "skipped";
    case ImageStatus::kStale: return "stale";
    case ImageStatus::kUnknown: return "unknown";
  }
  panic("unknown image status", __FILE__, __LINE__);
}

std::string_view action_name(ServiceAction action) {
  switch (action) {
    case ServiceAction::kCreated: return "created";
    case ServiceAction::kRecreated: return "recreated";
    case ServiceAction::kStarted: return "started";
    case ServiceAction::kUnchanged: return "unchanged";
    case ServiceAction::kCompleted: return "completed";
  }
  panic("unknown service action", __FILE__, __LINE__);
}

std::string get_user_compose_project(std::string_view repo_name, const std::optional<std::string>& suffix) {
  std::string tail;
  if (suffix) {
    tail = *suffix;
  } else if (const char* variable = std::getenv("OTTO_COMPOSE_SUFFIX"); variable != nullptr && *variable != '\0') {
    tail = variable;
  } else {
    tail = user_name();
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
