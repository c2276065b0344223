# shellcheck shell=sh disable=SC2154 # otto_notes is set before
# Prints "generation GENERATION" and "doomed ID", by tabs. Expects otto_notes, the path of the project's notes without
# their extensions.

{ read -r otto_generation <"$otto_notes.generation" && printf 'generation\t%s\n' "$otto_generation"; } 2>/dev/null
{ while read -r otto_id; do printf 'doomed\t%s\n' "$otto_id"; done <"$otto_notes.doomed"; } 2>/dev/null
