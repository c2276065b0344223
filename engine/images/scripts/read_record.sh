# shellcheck shell=sh disable=SC2154 # otto_root is set before
# otto_record NAME STAGE-KEY prints "record NAME HEX"; "dockerfile NAME BYTES" followed by them; where the stage has a
# finished stamp, "manifest NAME BYTES" followed by the manifest's bytes. Expects otto_root.

otto_record() {
  [ -f "$otto_root/built/$1" ] || return 0
  printf 'record %s %s\n' "$1" "$(cat "$otto_root/built/$1")"
  if [ -f "$otto_root/built/dockerfiles/$1" ]; then
    printf 'dockerfile %s %s\n' "$1" "$(($(wc -c <"$otto_root/built/dockerfiles/$1")))"
    cat "$otto_root/built/dockerfiles/$1"
  fi
  [ -n "$2" ] || return 0
  data=$(sed -n 5p "$otto_root/$2/stamp" 2>/dev/null) && [ -n "$data" ] && [ -f "$otto_root/$2/$data/manifest" ] || return 0
  printf 'manifest %s %s\n' "$1" "$(($(wc -c <"$otto_root/$2/$data/manifest")))"
  cat "$otto_root/$2/$data/manifest"
}
