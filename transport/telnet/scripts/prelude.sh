# shellcheck shell=sh
# The functions of a telnet session (telnet_script.h). Prints `r`, or `n WHAT` where a tool is missing.
# `dd` with one block takes what is there and no more, so output comes as it is made; the decoder reads line by line,
# because base64 and its like wait for whole blocks.
# A session of its own (setsid, where there is one) keeps the command from the terminal, as with ssh: nothing may ask
# for a password on it, and the command does not end by the terminal's hang-up but by its pipes' end.

mesg n 2>/dev/null
exec 3>&1
otto_new=$(command -v setsid) || otto_new=
if command -v base64 >/dev/null 2>&1; then
  otto_pack() { base64; }
  otto_unpack() { base64 -d; }
elif busybox base64 </dev/null >/dev/null 2>&1; then
  otto_pack() { busybox base64; }
  otto_unpack() { busybox base64 -d; }
elif command -v openssl >/dev/null 2>&1; then
  otto_pack() { openssl base64; }
  otto_unpack() { openssl base64 -d; }
else
  echo "n base64"
  exit 1
fi
otto_out() {
  while dd bs=32768 count=1 2>/dev/null | otto_pack | {
    IFS= read -r line || exit 1
    printf '%s\n' "$1$line"
    exec sed "s/^/$1/"
  }; do :; done
  echo "$2"
}
otto_in() {
  while IFS= read -r line; do
    [ "$line" != . ] || return 0
    printf '%s\n' "$line" | otto_unpack
  done
}
# ksh says 256 and more where a signal has ended a command; others 128 and more.
otto_status() {
  otto_status=$1
  [ "$otto_status" -lt 256 ] || otto_status=$((otto_status - 128))
}
otto_run() {
  {
    otto_in 2>/dev/null 5>&- | {
      $otto_new "${SHELL:-/bin/sh}" -c "$1" 3>&- 5>&-
      otto_status $?
      printf 'x%s\n' $otto_status >&3
    } 2>&5 5>&- | otto_out o O >&3 5>&-
  } 5>&1 | otto_out e E >&3
}
otto_run_pty() {
  [ "$7" = raw ] || stty sane
  stty rows "$3" columns "$4" 2>/dev/null
  TERM=$2
  export TERM
  printf %s "$6"
  if [ -n "$1" ]; then "${SHELL:-/bin/sh}" -c "$1" 3>&-; else "${SHELL:-/bin/sh}" 3>&-; fi
  otto_status $?
  printf '%s%s;' "$5" $otto_status
  exit 0
}
echo r
