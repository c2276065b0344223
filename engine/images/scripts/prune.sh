# shellcheck shell=sh disable=SC2154 # otto_root is set before
# otto_tag TAG LOCK, otto_stage KEY and otto_record NAME remove these, or print "kept NAME WHY" by tabs. Expects otto_root,
# otto_docker and lock.sh.

kept() { printf 'kept\t%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')"; }
otto_tag() {
  otto_lock_room && : >>"$(otto_state "$2.lock")" && exec 7>>"$(otto_state "$2.lock")" && flock -n -x 7 </dev/null ||
    { kept "$1" "in use by another otto"; return 0; }
  said=$(otto_docker image rm "$1" 2>&1 >/dev/null) && return 0
  otto_docker image inspect "$1" >/dev/null 2>&1 || return 0
  kept "$1" "$said"
}
otto_stage() (
  cd "$otto_root/$1" || exit 0
  exec 9>>lock && flock -n -x 9 </dev/null || { kept "$1" "in use by another otto"; exit 0; }
  rm -f -- stamp stamp.old by reserved && { rm -rf -- tree.* data.* work.* pending renaming 2>/dev/null ||
    { find . -type d ! -perm -0700 -exec chmod u+rwx {} \; ; rm -rf -- tree.* data.* work.*; } } </dev/null ||
    kept "$1" "it cannot be deleted"
)
otto_record() { rm -f -- "$otto_root/built/$1" "$otto_root/built/dockerfiles/$1"; }
