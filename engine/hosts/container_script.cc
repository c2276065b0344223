#include "engine/hosts/container_script.h"

#include <fmt/format.h>

#include "engine/parent/container_state.h"
#include "graph/base/text.h"

namespace otto::hosts {
namespace {

constexpr std::string_view kHeader = "otto-container ";
constexpr std::string_view kShellBegun = "otto-shell";

/// Ends the processes that carry the mark, inside the container: $1 is its id. Goes on there by itself once asked for.
std::string end_script(const parent::ParentSettings& settings, std::string_view token) {
  return parent::docker_prelude(settings) + fmt::format(R"sh(
otto_docker exec -d "$1" /bin/sh -c '
  for signal in TERM KILL; do
    for p in /proc/[0-9]*; do grep -qs "OTTO_EXEC_ID={token}" "$p/environ" && kill -$signal "${{p#/proc/}}"; done
    sleep 0.3 || sleep 1
  done
'
)sh",
                                                        fmt::arg("token", token));
}

std::string_view entry_line(ContainerEntry entry) {
  switch (entry) {
    case ContainerEntry::kShell:
      return "otto_docker_job exec -i -e OTTO_EXEC_ID=$otto_token \"$cid\" /bin/sh -c "
             "'echo otto-shell >&2; eval \"$1\"' sh \"$1\"";
    case ContainerEntry::kTerminal:  // on a terminal already, which hangs up
      return "otto_docker exec -it -e OTTO_EXEC_ID=$otto_token -e TERM=\"$2\" \"$cid\" /bin/sh -c "
             "'echo otto-shell; eval \"$1\"' sh \"$1\"";
    case ContainerEntry::kProgram: return "otto_docker_job exec -i \"$cid\" \"$@\"";
    case ContainerEntry::kCopyIn: return "otto_docker_job cp - \"$cid:$1\"";
    case ContainerEntry::kCopyOut: return "otto_docker_job cp \"$cid:$1\" -";
  }
  return "";
}

}  // namespace

/// The ending ignores further signals and leaves the job's process group, which may be told to end more than once and
/// is killed a second later: less than a call of docker may take. A shell without a reader gets SIGPIPE for saying
/// "Terminated", before its trap would run; a client of docker without a reader ends by SIGPIPE (141).
std::string container_script(const parent::ParentSettings& settings, const ContainerLabels& labels,
                             ContainerEntry entry, std::string_view token) {
  const auto label = [](std::string_view name, std::string_view value) {
    return " --filter label=com.docker.compose." + text::shell_quote(fmt::format("{}={}", name, value));
  };
  return parent::docker_prelude(settings) + "listed=$(otto_docker ps --no-trunc --format '{{.ID}} {{.Names}}'" +
         label("project", labels.project) + label("service", labels.service) +
         label("container-number", labels.number) + label("oneoff", "False") + ") || exit $?\n" +
         fmt::format(R"sh(
cid='' spare=''
while read -r id name; do
  case $name in {temporary}) spare=$id ;; *) cid=$id ;; esac  # what is half replaced counts only where nothing else runs
done <<OTTO_LISTED
$listed
OTTO_LISTED
cid=${{cid:-$spare}}
printf '{header}%s\n' "${{cid:-none}}" >&2
[ -n "$cid" ] || exit 1
otto_token={token}
otto_end() {{
  trap '' TERM INT HUP PIPE
  otto_setsid=$(command -v setsid) || otto_setsid=
  $otto_setsid sh -c {ending} sh "$cid" </dev/null >/dev/null 2>&1 &
}}
trap 'otto_end; exit 143' TERM INT HUP PIPE
{entry}
otto_code=$?
[ $otto_code -ne 141 ] || otto_end
exit $otto_code
)sh",
                     fmt::arg("temporary", parent::temporary_name_pattern()), fmt::arg("header", kHeader),
                     fmt::arg("token", token), fmt::arg("entry", entry_line(entry)),
                     fmt::arg("ending", text::shell_quote(end_script(settings, token))));
}

bool ContainerFilter::next_line(std::string& line) {
  const std::size_t end = held_.find('\n');
  if (end == std::string::npos) return false;
  line = held_.substr(0, end);
  taken_ = end + 1;
  if (line.ends_with('\r')) line.pop_back();  // from a terminal
  return true;
}

void ContainerFilter::take(transport::Stream stream, std::string_view bytes) {
  if (stream == transport::Stream::kStdout || begun_) return pass_on_(stream, bytes);
  held_ += bytes;
  std::string line;
  if (container_.empty()) {
    if (!next_line(line) || !line.starts_with(kHeader)) return;
    container_ = line.substr(kHeader.size());
    held_.erase(0, taken_);
  }
  const bool shell = entry_ == ContainerEntry::kShell || entry_ == ContainerEntry::kTerminal;
  if (shell && (!next_line(line) || line != kShellBegun)) return;
  if (container_ == "none") return;
  begun_ = true;
  if (shell) held_.erase(0, taken_);
  if (on_begun_) on_begun_();
  if (!held_.empty()) pass_on_(stream, std::exchange(held_, {}));
}

}  // namespace otto::hosts
