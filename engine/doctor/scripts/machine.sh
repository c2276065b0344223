# shellcheck shell=sh disable=SC2154 # otto_root is set before
# What a parent of stages has: prints "missing TOOL", "unwritable WORDS", "stage FOLDER" and its space, by tabs. Expects
# otto_root, the folder of stages, and space.sh.

[ -n "$(find / -maxdepth 0 -printf gnu 2>/dev/null)" ] || printf 'missing\tGNU find\n'
there=$otto_root
while [ ! -e "$there" ] && [ "$there" != / ]; do there=${there%/*}; there=${there:-/}; done
trial=$there/.otto-doctor-$$
if words=$( (umask 077; echo otto >"$trial") 2>&1); then rm -f "$trial"; else printf 'unwritable\t%s\n' "$words"; fi
printf 'stage\t%s\n' "$otto_root"
otto_space stage_free "$there"
exit 0
