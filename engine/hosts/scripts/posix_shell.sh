# shellcheck shell=sh
# Arguments: SCRIPT. Runs it in the login shell where that is a POSIX one.

case ${SHELL##*/} in sh|bash|dash|zsh|ksh|ash) shell=$SHELL ;; *) shell=/bin/sh ;; esac
exec "$shell" -c "$1"
