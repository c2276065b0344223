#include "engine/stage/stage_script.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/parent/lock_holder.h"
#include "engine/stage/stage_script_parts.h"
#include "graph/base/text.h"

namespace otto::stage {
namespace {

constexpr std::string_view kGuard = R"sh(
otto_stage_stale() { printf 'otto-stage-stale\n' >&2; exit 75; }
otto_stage_enter() {
  otto_stage_dir=$otto_stage_root/$1 otto_stage_stamp=$2
  [ -r "$otto_stage_dir/lock" ] || otto_stage_stale
  exec 9<"$otto_stage_dir/lock"
  flock -s 9 </dev/null || otto_stage_stale
  otto_stage_verify
  rm -f "$otto_stage_dir/reserved"
  [ -z "${otto_me-}" ] || otto_note_holder "$otto_me" "$otto_stage_dir/by"
  otto_stage_tree=$otto_stage_dir/$otto_s_tree
}
otto_stage_verify() {
  otto_stage_read "$otto_stage_dir/stamp" && [ "$otto_s_id" = "$otto_stage_stamp" ] || otto_stage_stale
  [ -d "$otto_stage_dir/$otto_s_tree" ] || otto_stage_stale
  [ "$otto_s_kind" = context ] || return 0
  otto_stage_list "$otto_stage_dir/$otto_s_tree" | cmp -s - "$otto_stage_dir/$otto_s_data/listing" || otto_stage_stale
}
)sh";

/// Without indentation and comments: scripts travel with every exchange, and one edit shall cost little more than its
/// bytes.
std::string compact(std::string_view script) {
  std::string text;
  text.reserve(script.size());
  while (!script.empty()) {
    auto line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(line.size() + 1, script.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (!line.empty() && line.front() != '#') (text += line) += '\n';
  }
  return text;
}

}  // namespace

std::string_view stage_exchange_script(StageKind kind) {
  const auto assemble = [](bool in_place) {
    return compact(fmt::format("{}{}{}{}{}{}{}", parent::lock_holder_functions(), kStageCommon, kStageOpen,
                               kStageReport, kStageReuse, in_place ? kStageInPlace : "", kStageApply));
  };
  static const std::string context = assemble(false);
  static const std::string in_place = assemble(true);
  return kind == StageKind::kContext ? context : in_place;
}

std::string job_folder_text(std::string_view root, std::string_view job) {
  return fmt::format(R"sh(
find {root} -maxdepth 1 -type d \( -name 'build.??????????' -o -name 'compose.??????????' \) -mmin +60 \
  -exec flock -n -x '{{}}' rm -rf '{{}}' ';' </dev/null 2>/dev/null
otto_work=
trap 'trap "" TERM INT HUP PIPE; [ -z "$otto_work" ] || rm -rf "$otto_work"' EXIT  # a job may be told to end twice
trap 'exit 143' TERM INT HUP PIPE
otto_work=$(trap "" TERM INT HUP PIPE; mktemp -d {root}/{job}.XXXXXXXXXX) || exit 1
exec 8<"$otto_work" && flock -s 8 </dev/null || exit 1
otto_awaited() {{ "$@" </dev/null & wait $!; }}
)sh",
                     fmt::arg("root", text::shell_quote(root)), fmt::arg("job", job));
}

std::string stage_guard_text(std::string_view root) {
  return fmt::format("otto_stage_root={}\n{}", text::shell_quote(root),
                     compact(fmt::format("{}{}", kStageCommon, kGuard)));
}

}  // namespace otto::stage
