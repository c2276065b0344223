# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # otto_mark and otto_lines are set before; some variables only take up words
# shellcheck disable=SC2043 # a loop of one round keeps `continue` and `break` of a command to itself
# The far half of the persistent shell, for dash, bash, busybox and their like. Expects otto_mark and otto_lines (the first
# lines to run). Reads lines: `+SCRIPT` runs, `.` ends a group, `q` is the end. Before the first command and after each it
# prints the mark, with CODE;PID;UPTIME;BACKGROUND; on standard output.
# The trap leaves whatever a command is in the middle of: `continue` with more levels than there are goes on with the
# outermost loop, which is ours. Our descriptors (7 input, 8 and 9 outputs) are closed for commands, so a command may
# redirect the shell's own with `exec`.

otto_ran=1 otto_code=0 otto_skip=
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
