// Written for dash, bash and busybox: no read -t, no arrays, no local.
//
// sshd and the local transport give every command a session of its own, so a job's group is its whole tree. Where
// something stands between sshd and us (a ForceCommand wrapper), /proc tells the group.
#include "transport/supervisor_script.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::string_view kSupervisor = R"sh(umask 077
trap '' HUP INT TERM PIPE
d=
for b in "${TMPDIR:-/tmp}" "$HOME"; do
  mkdir -m 700 "$b/otto-@TOKEN@" 2>/dev/null && d=$b/otto-@TOKEN@ && break
done
if [ -z "$d" ]; then
  echo "otto: cannot make a folder in ${TMPDIR:-/tmp} or $HOME" >&2
  exit 1
fi
e=$d.end
started_at() {
  shift 19
  echo "$1"
}
is_same() {
  [ "$2" = - ] && return 0
  [ -r "/proc/$1/stat" ] && read -r stat <"/proc/$1/stat" || return 0
  [ "$(started_at ${stat##*) })" = "$2" ]
}
hit() {
  signal=$1
  left=1
  shift
  for f; do
    n=${f##*/}
    n=${n#*.}
    g=${n%%.*}
    case $g in '' | *[!0-9]*) continue ;; esac
    [ -e "$f" ] || continue
    if is_same "$g" "${n#*.}" && kill -s "$signal" -- "-$g" 2>/dev/null; then left=0; else rm -f "$f"; fi
  done
  return $left
}
end_jobs() {
  hit TERM "$@" || return 0
  i=0
  while [ $i -lt 10 ]; do
    i=$((i + 1))
    sleep 0.1 2>/dev/null || { sleep 1; i=10; }
    hit 0 "$@" || return 0
  done
  hit KILL "$@"
}
finish() {
  mv "$d" "$e" 2>/dev/null || return 1
  round=0
  while [ $round -lt 20 ]; do
    round=$((round + 1))
    set -- "$e"/j*.*
    end_jobs "$@"
    rm -f "$@" "$e/beat"
    rmdir "$e" 2>/dev/null && break
  done
  return 0
}
echo 0 >"$d/beat"
(
  last=
  missed=0
  while sleep @PAUSE@; do
    [ -d "$d" ] || exit 0
    now=$last
    read -r now <"$d/beat" || :
    if [ "$now" = "$last" ]; then missed=$((missed + 1)); else missed=0; last=$now; fi
    [ $missed -lt 5 ] || { finish && kill -s KILL $$; exit 0; }
  done
) </dev/null >/dev/null 2>&1 &
watchdog=$!
beats=0
while IFS= read -r line; do
  case $line in
  .)
    beats=$((beats + 1))
    echo $beats >"$d/beat"
    ;;
  k*)
    : >"$d/${line#k}.dead"
    (end_jobs "$d/${line#k}".*.*) </dev/null >/dev/null 2>&1 &
    ;;
  esac
done
if finish; then kill -s KILL $watchdog; else wait $watchdog; fi
exit 0
)sh";

constexpr std::string_view kJob = R"sh(otto_give_up() {
  echo "otto: $1" >&2
  exit 254
}
otto_tries=0
while :; do
  otto_room=
  for otto_dir in "${TMPDIR:-/tmp}" "$HOME"; do
    [ -w "$otto_dir" ] && otto_room=yes
    otto_dir=$otto_dir/otto-@TOKEN@
    [ -d "$otto_dir" ] && break 2
  done
  [ -n "$otto_room" ] || otto_give_up "neither ${TMPDIR:-/tmp} nor $HOME can be written to"
  otto_tries=$((otto_tries + 1))
  [ $otto_tries -lt 200 ] || otto_give_up "the supervisor of this job did not come"
  otto_pause=0.05
  [ $otto_tries -gt 10 ] || otto_pause=0.01
  sleep $otto_pause 2>/dev/null || { sleep 1; otto_tries=$((otto_tries + 19)); }
done
otto_group() {
  otto_pgid=$3
  shift 19
  otto_start=$1
}
otto_pgid=$$
otto_start=-
if read -r otto_stat 2>/dev/null <"/proc/$$/stat"; then
  otto_group ${otto_stat##*) }
  [ "$otto_pgid" = $$ ] || otto_start=-
fi
otto_file=$otto_dir/@JOB@.$otto_pgid.$otto_start
(: >"$otto_file") 2>/dev/null || otto_give_up "this job's supervisor has ended"
[ ! -e "$otto_dir/@JOB@.dead" ] || { rm -f "$otto_file"; otto_give_up "ended before it began"; }
echo @MARK@
echo @MARK@ >&2
(eval @TEXT@)
otto_status=$?
rm -f "$otto_file"
exit $otto_status
)sh";

std::string replace_all(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = text.find(what, at);
    out += text.substr(at, next == std::string_view::npos ? next : next - at);
    if (next == std::string_view::npos) break;
    out += with;
    at = next + what.size();
  }
  return out;
}

}  // namespace

std::string supervisor_script(std::string_view token, std::string_view pause) {
  return replace_all(replace_all(kSupervisor, "@TOKEN@", token), "@PAUSE@", pause);
}

std::string_view heartbeat_line() { return ".\n"; }

std::string end_job_order(const JobTicket& job) { return fmt::format("k{}\n", job.job); }

std::string job_script(std::string_view text, const JobTicket& job, std::string_view mark) {
  std::string script = replace_all(kJob, "@TOKEN@", job.token);
  script = replace_all(script, "@JOB@", job.job);
  script = replace_all(script, "@MARK@", mark);
  return replace_all(script, "@TEXT@", text::shell_quote(text));
}

}  // namespace otto::transport
