#include "engine/workspace/targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/base/text.h"

namespace otto::workspace {

namespace {

Result<const config::HostEntry*> docker_host(const config::Lab& lab, const std::string& id) {
  OTTO_TRY(const config::HostEntry* host, lab.get(id));
  if (host->docker_capable) return host;
  return make_error(ErrorCode::kConfig, fmt::format("{}: host '{}' is not docker_capable", host->where.str(), id),
                    "set \"docker_capable\": true there if it runs Docker, or choose another host with --on");
}

Result<const config::HostEntry*> only_docker_host(const config::Lab& lab) {
  std::vector<std::string> capable;
  for (const config::HostEntry& host : lab.hosts) {
    if (host.docker_capable) capable.push_back(host.id);
  }
  if (capable.size() == 1) return lab.get(capable.front());
  if (capable.empty()) {
    return make_error(ErrorCode::kConfig, "no host of the lab is docker_capable",
                      "set \"docker_capable\": true for a parent in hosts.json");
  }
  return make_error(ErrorCode::kUsage, "several hosts of the lab run Docker: " + text::join(capable, ", "),
                    "choose one with --on HOST, or set default_host in [[docker.composes]]");
}

void add_target(std::vector<Target>& targets, const config::Settings& repo, const config::HostEntry* host,
                const config::ComposeSettings* compose) {
  auto target = std::find_if(targets.begin(), targets.end(),
                             [&](const Target& known) { return known.repo == &repo && known.host == host; });
  if (target == targets.end()) target = targets.insert(targets.end(), Target{&repo, host, {}});
  if (compose != nullptr) target->composes.push_back(compose);
}

}  // namespace

Result<std::vector<Target>> choose_targets(workspace::Opened& workspace, const std::optional<std::string>& on) {
  std::vector<Target> targets;
  const config::Lab& lab = workspace.lab();
  for (const config::Settings& repo : workspace.repos()) {
    for (const config::ComposeSettings& compose : repo.composes) {
      auto host = on                             ? docker_host(lab, text::to_lower(*on))
                  : compose.default_host.empty() ? only_docker_host(lab)
                                                 : docker_host(lab, text::to_lower(compose.default_host));
      if (!host.ok() && !on && !compose.default_host.empty()) {
        return std::move(host).error().in(fmt::format("{}: default_host of this compose file", compose.where.str()));
      }
      OTTO_RETURN_IF_ERROR(host);
      add_target(targets, repo, *host, &compose);
    }
    if (!repo.composes.empty()) continue;
    OTTO_TRY(const config::HostEntry* host, on ? docker_host(lab, text::to_lower(*on)) : only_docker_host(lab));
    add_target(targets, repo, host, nullptr);
  }
  return targets;
}

bool is_connection_error(ErrorCode code) {
  return code == ErrorCode::kUnreachable || code == ErrorCode::kAuthFailed || code == ErrorCode::kHostKey ||
         code == ErrorCode::kTimedOut;
}

}  // namespace otto::workspace
