# shellcheck shell=sh disable=SC2154 # otto_project and otto_next are set before
# After a line of input takes the lock of the project otto_project, prints "held GENERATION" by a tab (the last one's), and holds it until its
# input ends; a line `settled` takes away the note of containers to be removed. Says "over" when all is written down. Needs lock.sh.
# Exits 79 without a lock.
# The note of the new generation, otto_next, comes before that word, and is closed after the last change: what a probe saw
# in between may be half of it.

read -r otto_order || exit 0  # it is not wanted after all
otto_lock 7 x "project.$otto_project" && otto_lock 6 x "work.$otto_project" || exit 79
exec 6>&-
otto_notes=$(otto_state "project.$otto_project") otto_generation=
{ read -r otto_generation <"$otto_notes.generation"; } 2>/dev/null || :
echo "open $otto_next" >"$otto_notes.generation" || exit 79
printf 'held\t%s\n' "$otto_generation"
while read -r otto_order; do
  [ "$otto_order" != settled ] || rm -f "$otto_notes.doomed"
done
echo "$otto_next" >"$otto_notes.generation"
exec 7>&-
echo over
