#include "engine/stage/stage_script.h"

#include <fmt/format.h>

#include "engine/parent/lock_holder.h"
#include "engine/stage/scripts.h"
#include "graph/base/text.h"

namespace otto::stage {

std::string_view stage_exchange_script(StageKind kind) {
  const auto assemble = [](bool in_place) {
    return fmt::format("{}{}{}{}{}{}{}", parent::lock_holder_functions(), kCommonScript, kOpenScript, kReportScript,
                       kReuseScript, in_place ? kInPlaceScript : "", kApplyScript);
  };
  static const std::string context = assemble(false);
  static const std::string in_place = assemble(true);
  return kind == StageKind::kContext ? context : in_place;
}

std::string job_folder_text(std::string_view root, std::string_view job) {
  return fmt::format("otto_root={} otto_job={}\n{}", text::shell_quote(root), job, kJobFolderScript);
}

std::string scratch_folder_text(std::string_view root, std::string_view job) {
  return fmt::format(
      "otto_root={} otto_job={}\n[ -d \"$otto_root\" ] || {{ otto_root=${{TMPDIR:-/tmp}}; otto_job=otto-scratch; "
      "}}\n{}",
      text::shell_quote(root), job, kJobFolderScript);
}

std::string stage_guard_text(std::string_view root) {
  return fmt::format("otto_root={}\n{}{}", text::shell_quote(root), kCommonScript, kGuardScript);
}

}  // namespace otto::stage
