# shellcheck shell=sh
# shellcheck disable=SC2154 # token and pause are set before
# The supervisor of a connection's jobs (supervisor_script.h). Expects token and pause (seconds). Reads heartbeats and
# orders to end jobs until its input ends; prints nothing.

umask 077
trap '' HUP INT TERM PIPE
d=
for b in "${TMPDIR:-/tmp}" "$HOME"; do
  mkdir -m 700 "$b/otto-$token" 2>/dev/null && d=$b/otto-$token && break
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
  [ "$(started_at ${stat##*\) })" = "$2" ]
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
    # The one spelling for a group that all know: busybox refuses "kill -s TERM -- -1", dash "kill -s TERM -1".
    if is_same "$g" "${n#*.}" && kill "-$signal" "-$g" 2>/dev/null; then left=0; else rm -f "$f"; fi
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
  while sleep "$pause"; do
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
