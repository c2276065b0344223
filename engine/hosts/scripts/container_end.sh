# shellcheck shell=sh
# Arguments: ID TOKEN. Ends, in the container ID, the processes whose environment has OTTO_EXEC_ID=TOKEN, and all that
# these have started: `env -i` and `su -` take the environment away, but not the parent, nor the session that the first of
# them leads. Goes on in there by itself once asked for.

# shellcheck disable=SC2016 # the container's shell expands it
otto_docker exec -d "$1" /bin/sh -c '
  ours=" "
  is_ours() { case $ours in *" $1 "*) return 0 ;; esac; return 1; }
  has_mark() { grep -qs "OTTO_EXEC_ID=$token" "$1/environ"; }
  look_at() {
    is_ours "${1#/proc/}" && return 1
    read -r stat <"$1/stat" || return 1
    set -- "$1" ${stat##*\) }
    { is_ours "$3" || is_ours "$5" || has_mark "$1"; } || return 1
    ours="$ours${1#/proc/} "
  }
  find_all() {
    more=1
    while [ -n "$more" ]; do
      more=
      for p in /proc/[0-9]*; do look_at "$p" && more=1; done
    done
  }
  token=$1
  for signal in TERM KILL; do
    find_all 2>/dev/null
    kill -$signal $ours
    sleep 0.3 || sleep 1
  done
' sh "$2"
