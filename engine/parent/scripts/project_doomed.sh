# shellcheck shell=sh disable=SC2154 # otto_doomed is set before
# Notes the containers otto_doomed (ids, one a line) of a project. Needs project_turn.sh.

printf '%s\n' "$otto_doomed" >"$otto_notes.doomed.new" && mv -f "$otto_notes.doomed.new" "$otto_notes.doomed" || exit 1
