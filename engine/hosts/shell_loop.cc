// The far half of the persistent shell. For dash, bash, busybox and their like. The first mark says that it has begun.
//
// The trap leaves whatever a command is in the middle of: `continue` with more levels than there are goes on with the
// outermost loop, which is ours. Our descriptors (7 input, 8 and 9 outputs) are closed for commands, so a command may
// redirect the shell's own with `exec`.
#include <fmt/format.h>

#include "engine/hosts/persistent_shell.h"
#include "graph/base/text.h"
#include "transport/bootstrap.h"

namespace otto::hosts {
namespace {

constexpr std::string_view kLoop = R"sh(
otto_ran=1 otto_skip= otto_code=0
otto_feed='
'
exec 7<&0 8>&1 9>&2 </dev/null
trap 'continue 99' INT
while :; do
  if [ -n "$otto_ran" ]; then
    otto_ran=
    otto_up=0
    if [ -r /proc/uptime ]; then read -r otto_up otto_rest </proc/uptime; fi
    printf '%s%s;%s;%s;%s;' "$otto_mark" "$otto_code" "$$" "$otto_up" "${!:-0}" >&8
    printf '%s' "$otto_mark" >&9
    [ "$otto_code" = 0 ] || otto_skip=1
  fi
  if [ -n "$otto_lines" ]; then
    otto_line=${otto_lines%%"$otto_feed"*}
    otto_lines=${otto_lines#*"$otto_feed"}
  else
    IFS= read -r otto_line <&7 || exit 0
  fi
  case $otto_line in
  .) otto_skip= ;;
  q) exit "$otto_code" ;;
  *)
    if [ -z "$otto_skip" ]; then
      otto_line=${otto_line#+}
      otto_ran=1 otto_code=130
      for otto_once in 1; do eval "$(printf %b "$otto_line")" 7<&- 8>&- 9>&-; done
      otto_code=$?
    fi
    ;;
  esac
done
)sh";

// Only what the present command has started: an older direct child of the shell belongs to the background of an earlier
// one. Within one tick of the clock, those up to the last background process do.
constexpr std::string_view kInterrupt = R"sh(
signal=$1 shell=$2 since=$3 last=$4 all= hit=' '
for f in /proc/[0-9]*/stat; do
  { read -r stat <"$f"; } 2>/dev/null || continue
  f=${f#/proc/}
  set -- ${stat##*) }
  all="$all${f%/stat} $2 ${20}
"
done
more=yes
while [ -n "$more" ]; do
  more=
  while read -r pid parent start; do
    case $hit in *" $pid "*) continue ;; esac
    case $hit in
    *" $parent "*) ;;
    *)
      [ "$parent" = "$shell" ] && [ "$start" -ge "$since" ] || continue
      [ "$start" -gt "$since" ] || [ "$pid" -gt "$last" ] || continue
      ;;
    esac
    hit="$hit$pid " more=yes
  done <<END
$all
END
done
kill -s INT "$shell"
[ "$hit" = ' ' ] || kill -s "$signal" $hit
exit 0
)sh";

}  // namespace

std::string shell_loop(std::string_view mark, std::string_view lines) {
  return fmt::format("otto_mark={} otto_lines={}", mark, text::shell_quote(lines)) + std::string(kLoop);
}

std::string command_lines(const std::vector<std::string>& commands, bool last) {
  std::string lines;
  for (const std::string& command : commands) lines += '+' + transport::encode_script(command);
  return lines + (last ? ".\nq\n" : ".\n");
}

std::string_view interrupt_script() { return kInterrupt; }

MarkScanner::Piece MarkScanner::next() {
  Piece piece;
  const std::size_t at = held_.find(mark_);
  if (at == std::string::npos) {
    std::size_t kept = std::min(mark_.size() - 1, held_.size());
    while (kept > 0 && !held_.ends_with(std::string_view(mark_).substr(0, kept))) --kept;
    piece.bytes = held_.substr(0, held_.size() - kept);
    held_.erase(0, piece.bytes.size());
    return piece;
  }
  std::size_t end = at + mark_.size();
  for (std::size_t i = 0; i < fields_; ++i) {
    const std::size_t semicolon = held_.find(';', end);
    if (semicolon == std::string::npos) {  // the rest of the mark is on its way
      piece.bytes = held_.substr(0, at);
      piece.fields.clear();
      held_.erase(0, at);
      return piece;
    }
    piece.fields.push_back(held_.substr(end, semicolon - end));
    end = semicolon + 1;
  }
  piece.marked = true;
  piece.bytes = held_.substr(0, at);
  held_.erase(0, end);
  return piece;
}

}  // namespace otto::hosts
