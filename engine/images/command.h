// What the commands of the façade share: reading a repo's images, going through the targets, beginning anew when inputs
// change under way.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"
#include "otto/workspace.h"

namespace otto::execute {

/// Scans with the memo's stat cache. `before_scan` as in inputs::ReadRequest. Errors as inputs::read_images.
Result<inputs::RepoInputs> read_repo_images(Workspace& workspace, const config::Settings& repo,
                                            const std::vector<std::string>& names,
                                            std::function<Result<void>(const inputs::RepoInputs&)> before_scan = {});
std::vector<std::string> names_of(const inputs::RepoInputs& images);

/// The host could not be reached, or refused to let us in.
bool is_connection_error(ErrorCode code);

/// How often a command begins anew when files change while it reads or sends them.
inline constexpr int kInputAttempts = 3;

/// Connects to all targets at once, then does `work` on each in turn. A target's error is the command's where it is the
/// only one or the user interrupted; else it becomes that target's report by `failed`, and the others still get their
/// turn.
template <typename Report, typename Work, typename Failed>
Result<std::vector<Report>> for_each_target(Workspace& workspace, const std::vector<Target>& targets, Work work,
                                            Failed failed) {
  for (const Target& target : targets) workspace.connect_early(*target.host);
  std::vector<Report> reports;
  for (const Target& target : targets) {
    auto report = work(target);
    for (int again = 1; again < kInputAttempts && !report.ok() && report.error().code == ErrorCode::kInputsChanged;
         ++again) {
      workspace.reporter().report({Event::Kind::kNotice, Phase::kScanning, target.repo->name,
                                   report.error().message + "; reading the inputs again", 0, 0, 0});
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

}  // namespace otto::execute
