# shellcheck shell=sh disable=SC2154 # found and pulled are set by pull.sh
# Prints the images, listed anew where pull.sh's functions have pulled something.

[ -z "$pulled" ] || found=$(otto_images) || exit $?
printf '%s\n' "$found"
