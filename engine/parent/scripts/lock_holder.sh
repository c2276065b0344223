# shellcheck shell=sh
# otto_note_holder WHO FILE notes who has a lock since when; otto_tell_waiting NAME FILE prints "otto-waiting NAME WHO
# SECONDS" by tabs.

otto_tell_waiting() {
  otto_by='' otto_at=''
  { IFS='	' read -r otto_by otto_at <"$2"; } 2>/dev/null || :
  case $otto_at in '' | *[!0-9]*) ;; *) otto_at=$(($(date +%s) - otto_at)) ;; esac
  printf 'otto-waiting\t%s\t%s\t%s\n' "$1" "$otto_by" "$otto_at"
}
otto_note_holder() { printf '%s\t%s\n' "$1" "$(date +%s)" >"$2"; }
