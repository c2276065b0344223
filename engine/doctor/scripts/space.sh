# shellcheck shell=sh
# otto_space NAME FOLDER prints "NAME KIB" by a tab for each line of df: the last one is the disk.

otto_space() { LC_ALL=C df -Pk "$2" 2>/dev/null | while read -r _ _ _ free _; do printf '%s\t%s\n' "$1" "$free"; done; }
