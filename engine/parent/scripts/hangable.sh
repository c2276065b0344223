# shellcheck shell=sh
# shellcheck disable=SC2209 # otto_line=exec is the word
# otto_hangable COMMAND... runs a command of another account so that it ends when this job is told to (other_user.h).
# script(1) takes one command line, so the words are quoted; it runs $SHELL, which must be sh. It waits two seconds
# before it gives in to TERM, so the guard beside it sends HUP, which it does not catch. Background commands of sh get
# /dev/null as input: the descriptors are handed on as 3, 4 and 5.

otto_hangable() {
  otto_line=exec
  for otto_word; do
    otto_quoted=
    while :; do
      case $otto_word in
      *\'*)
        otto_quoted=$otto_quoted${otto_word%%\'*}"'\\''"
        otto_word=${otto_word#*\'}
        ;;
      *) break ;;
      esac
    done
    otto_line="$otto_line '$otto_quoted$otto_word'"
  done
  if [ ${#otto_line} -gt 100000 ] || ! command -v script >/dev/null 2>&1; then
    "$@"
    return
  fi
  sh -c '
    SHELL=/bin/sh script -qec "$1" /dev/null </dev/null >/dev/null 2>&1 &
    trap "kill -s HUP $! 2>/dev/null; exit 143" HUP INT TERM
    wait $!
  ' sh "$otto_line <&3 >&4 2>&5 3<&- 4>&- 5>&-" 3<&0 4>&1 5>&2
}
