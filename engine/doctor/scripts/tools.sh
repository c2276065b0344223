# shellcheck shell=sh disable=SC2154 # otto_tools is set before
# Prints "missing TOOL" by a tab, of the words of otto_tools.

for tool in $otto_tools; do command -v "$tool" >/dev/null 2>&1 || printf 'missing\t%s\n' "$tool"; done
