# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_token, otto_job, otto_mark and otto_text are set before
# Registers a job with its supervisor (supervisor_script.h) and runs it. Expects otto_token, otto_job, otto_mark, which is
# printed on both outputs when the job begins, and otto_text, its script, which sees the arguments. Exits 254 where the job
# cannot be registered.
# sshd and the local transport give every command a session of its own, so a job's group is its whole tree. Where
# something stands between sshd and us (a ForceCommand wrapper), /proc tells the group.

unset TMOUT  # of some profiles: `read` would give up
otto_give_up() {
  echo "otto: $1" >&2
  exit 254
}
otto_tries=0
while :; do
  otto_room=
  for otto_dir in "${TMPDIR:-/tmp}" "$HOME"; do
    [ -w "$otto_dir" ] && otto_room=yes
    otto_dir=$otto_dir/otto-$otto_token
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
  otto_group ${otto_stat##*\) }
  [ "$otto_pgid" = $$ ] || otto_start=-
fi
otto_file=$otto_dir/$otto_job.$otto_pgid.$otto_start
(: >"$otto_file") 2>/dev/null || otto_give_up "this job's supervisor has ended"
[ ! -e "$otto_dir/$otto_job.dead" ] || { rm -f "$otto_file"; otto_give_up "ended before it began"; }
echo "$otto_mark"
echo "$otto_mark" >&2
(eval "$otto_text")
otto_status=$?
# ksh says 256 and more where a signal has ended it, of which `exit` would keep the signal alone.
[ $otto_status -lt 256 ] || otto_status=$((otto_status - 128))
rm -f "$otto_file"
exit $otto_status
