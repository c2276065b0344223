# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_root and otto_job are set before
# Makes "$otto_work", a folder of the job's own that goes with the job, and removes those that killed jobs left an hour ago.
# Expects otto_root (the folder it lies in) and otto_job ("build", "compose"; "otto-scratch" where the folder is everybody's,
# of which nothing is removed). Descriptor 8 holds its lock.
# otto_awaited runs a command without input and waits for it, so that a signal is heard at once. A job may be told to end
# twice.

[ "$otto_job" = otto-scratch ] || find "$otto_root" -maxdepth 1 -type d \( -name 'build.??????????' -o -name 'compose.??????????' \) -mmin +60 \
  -exec flock -n -x '{}' rm -rf '{}' ';' </dev/null 2>/dev/null
otto_work=
trap 'trap "" TERM INT HUP PIPE; [ -z "$otto_work" ] || rm -rf "$otto_work"' EXIT
trap 'exit 143' TERM INT HUP PIPE
otto_work=$(trap "" TERM INT HUP PIPE; mktemp -d "$otto_root/$otto_job.XXXXXXXXXX") || exit 1
exec 8<"$otto_work" && flock -s 8 </dev/null || exit 1
otto_awaited() { "$@" </dev/null & wait $!; }
