# shellcheck shell=sh disable=SC2154 # otto_root is set before
# otto_keep FOLDER NAME CONTENT writes a file below otto_root at once; trouble is none.

otto_keep() { mkdir -p "$otto_root/$1" && printf %s "$3" >"$otto_root/$1/$2.$$" && mv "$otto_root/$1/$2.$$" "$otto_root/$1/$2" || :; }
