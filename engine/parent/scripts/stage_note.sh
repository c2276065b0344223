# shellcheck shell=sh disable=SC2034,SC2154 # a stamp has lines that are not looked at; otto_stage is set before
# Prints "stamp ID TREE" by tabs, where the stage otto_stage (its directory) is whole.

{ read -r otto_magic && read -r otto_kind && read -r otto_id && read -r otto_tree; } 2>/dev/null <"$otto_stage/stamp" &&
  [ -d "$otto_stage/$otto_tree" ] && printf 'stamp\t%s\t%s\n' "$otto_id" "$otto_tree"
