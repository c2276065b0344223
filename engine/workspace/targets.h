// What a command works on: pairs of a repo and a parent, chosen from the settings, the lab and --on; and the walk over
// them, in which a command begins anew when files change while it reads them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/workspace/opened.h"
#include "graph/base/result.h"

namespace otto::workspace {

/// A repo and a parent that a command concerns.
struct Target {
  const config::Settings* repo = nullptr;
  const config::HostEntry* host = nullptr;
  std::vector<const config::ComposeSettings*> composes;  ///< those that live on this parent
};

/// Where a command works: --on, else the default_host of each compose, else the only docker_capable host. kUsage where
/// that leaves a choice, kUnknownName, kConfig where the host is not docker_capable.
Result<std::vector<Target>> choose_targets(workspace::Opened& workspace, const std::optional<std::string>& on);

/// The host could not be reached, or refused to let us in.
bool is_connection_error(ErrorCode code);

/// How often a command begins anew when files change while it reads or sends them.
inline constexpr int kInputAttempts = 3;

/// Connects to all targets at once, then does `work` on each in turn. A target's error is the command's where it is the
/// only one or the user interrupted; else it becomes that target's report by `failed`, and the others still get their
/// turn.
template <typename Report, typename Work, typename Failed>
Result<std::vector<Report>> for_each_target(workspace::Opened& workspace, const std::vector<Target>& targets, Work work,
                                            Failed failed) {
  for (const Target& target : targets) workspace.connect_early(*target.host);
  std::vector<Report> reports;
  for (const Target& target : targets) {
    auto report = work(target);
    for (int again = 1; again < kInputAttempts && !report.ok() && report.error().code == ErrorCode::kInputsChanged;
         ++again) {
      workspace.reporter().report(
          Event::notice(Phase::kScanning, target.repo->name, report.error().message + "; reading the inputs again"));
      report = work(target);
    }
    if (report.ok()) {
      reports.push_back(std::move(*report));
    } else if (targets.size() == 1 || report.error().code == ErrorCode::kInterrupted) {
      return std::move(report).error();
    } else {
      reports.push_back(failed(target, std::move(report).error()));
    }
  }
  return reports;
}

}  // namespace otto::workspace
