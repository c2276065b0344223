# shellcheck shell=sh
# Arguments: ID TOKEN. Ends the processes in the container ID whose environment has OTTO_EXEC_ID=TOKEN. Goes on in there by
# itself once asked for.

otto_docker exec -d "$1" /bin/sh -c '
  for signal in TERM KILL; do
    for p in /proc/[0-9]*; do grep -qs "OTTO_EXEC_ID=$1" "$p/environ" && kill -$signal "${p#/proc/}"; done
    sleep 0.3 || sleep 1
  done
' sh "$2"
