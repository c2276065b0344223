#include "engine/hosts/container_script.h"

#include <fmt/format.h>

#include "engine/hosts/scripts.h"
#include "engine/parent/container_state.h"
#include "graph/base/text.h"

namespace otto::hosts {
namespace {

constexpr std::string_view kHeader = "otto-container ";
constexpr std::string_view kShellBegun = "otto-shell";

/// The body of otto_enter; of kCopyIn empty: that has a script of its own.
std::string_view entry_line(ContainerEntry entry) {
  switch (entry) {
    case ContainerEntry::kShell:
      return "otto_docker_job exec -i -e OTTO_EXEC_ID=$otto_token \"$cid\" /bin/sh -c "
             "'echo otto-shell >&2; eval \"$1\"' sh \"$1\"";
    case ContainerEntry::kTerminal:  // on a terminal already, which hangs up
      return "otto_docker exec -it -e OTTO_EXEC_ID=$otto_token -e TERM=\"$2\" \"$cid\" /bin/sh -c "
             "'echo otto-shell; eval \"$1\"' sh \"$1\"";
    case ContainerEntry::kProgram: return "otto_docker_job exec -i \"$cid\" \"$@\"";
    case ContainerEntry::kCopyIn: return "";
    case ContainerEntry::kCopyOut: return "otto_docker_job cp \"$cid:$1\" -";
  }
  return "";
}

}  // namespace

std::string container_script(const parent::ParentSettings& settings, const ContainerLabels& labels,
                             ContainerEntry entry, std::string_view token) {
  const std::string prelude = parent::docker_prelude(settings);
  const std::string enter = entry == ContainerEntry::kCopyIn
                                ? std::string(kCopyInScript)
                                : fmt::format("otto_enter() {{ {}; }}\n", entry_line(entry));
  return prelude + enter +
         fmt::format(
             "otto_project={} otto_service={} otto_number={} otto_temporary={} otto_token={} otto_ending={}\n{}",
             text::shell_quote(labels.project), text::shell_quote(labels.service), text::shell_quote(labels.number),
             text::shell_quote(parent::temporary_name_pattern()), token,
             text::shell_quote(fmt::format("{}{}", prelude, kContainerEndScript)), kContainerScript);
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
  if (begun_) return pass_on_(stream, bytes);
  if (stream == transport::Stream::kStdout) {  // what comes before the first line is Docker's, or came the faster way
    early_ += bytes;
    return;
  }
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
  if (!early_.empty()) pass_on_(transport::Stream::kStdout, std::exchange(early_, {}));
  if (!held_.empty()) pass_on_(stream, std::exchange(held_, {}));
}

}  // namespace otto::hosts
