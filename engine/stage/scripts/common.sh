# shellcheck shell=sh
# shellcheck disable=SC2034 # what a stamp says is for others
# Listings and stamps of a stage; of the exchange and of the guard.
# otto_stage_list: what lies in a directory, one NUL-ended line an entry, sorted: PATH//TYPE FACTS MTIME CTIME. No path
# holds "//", so the lines cannot be re-spelt into each other. A directory's ctime tells a mode that was changed and
# changed back. otto_stage_shape drops the times (shape_digest()). otto_stage_read FILE: reads a stamp into otto_s_*;
# false where it is not whole.

otto_stage_list() {
  (cd "$1" && LC_ALL=C find . -mindepth 1 \( -type d -printf '%P//d %m - %C@\0' \
    -o -type l -printf '%P//l %l %T@ %C@\0' -o -type f -printf '%P//f %m %s %T@ %C@\0' \
    -o -type p -printf '%P//p %m %T@ %C@\0' -o -printf '%P//o %y - -\0' \) </dev/null) | LC_ALL=C sort -z
}
otto_stage_shape() { LC_ALL=C sed -z 's/ [^ ]* [^ ]*$//'; }
otto_stage_read() {
  [ -f "$1" ] || return 1
  { read -r otto_s_magic && read -r otto_s_kind && read -r otto_s_id && read -r otto_s_tree && read -r otto_s_data &&
    read -r otto_s_manifest && read -r otto_s_end; } <"$1" 2>/dev/null || return 1
  case $otto_s_magic/$otto_s_end in "otto-stage 1/end" | "otto-stage 2/end") ;; *) return 1 ;; esac
  case $otto_s_tree/$otto_s_data in */*/*) return 1 ;; tree*/data.*) return 0 ;; esac
  return 1
}
