# shellcheck shell=sh disable=SC2154 # otto_project, otto_turn and otto_lost are set before
# Makes sure that the turn otto_turn of the project otto_project is still this otto's, holding that with descriptor 6. Needs
# lock.sh. Exits otto_lost where the turn has been lost.

otto_notes=$(otto_state "project.$otto_project") otto_room=$(otto_state "work.$otto_project.lock")
otto_lock_room && : >>"$otto_room" || exit "$otto_lost"
exec 6>>"$otto_room"
otto_generation=
flock -n -s 6 </dev/null && { read -r otto_generation <"$otto_notes.generation" || :; }
[ "$otto_generation" = "open $otto_turn" ] || { echo "another otto has taken this project over" >&2; exit "$otto_lost"; }
