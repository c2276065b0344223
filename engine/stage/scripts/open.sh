# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the parts of the exchange share their variables
# shellcheck disable=SC2120 # others pass words to unwritable
# The exchange begins: takes the lock, looks at what there is, removes leftovers.
# Arguments: ROOT KEY context|in-place KNOWN-STAMP FRESH-ID zstd|gzip|none normal|force WHO CLAIM. Needs lock_holder.sh and
# common.sh. Leaves `fail CODE WORDS`, `unwritable`, condition, id, digest, base, tree, dir, kind to what follows.
# ENOSPC and EDQUOT have no exit status of their own, so is_full tries, and hears what is said.

set -u
umask 077
export LC_ALL=C
unset TAR_OPTIONS POSIXLY_CORRECT ZSTD_CLEVEL GZIP
root=$1 key=$2 kind=$3 known=$4 fresh=$5 codec=$6 force=$7 who=$8 claim=$9
dir=$root/$key
me=$(id -u)
give_up() { :; }
fail() { code=$1; shift; printf 'otto-stage: %s\n' "$*" >&2; give_up; exit "$code"; }
is_full() {
  case $({ head -c 65536 /dev/zero >work.full; } 2>&1) in
    *"No space left on device"* | *"quota exceeded"*) full=0 ;;
    *) full=1 ;;
  esac
  rm -f work.full
  return $full
}
unwritable() { if is_full; then fail 77 "No space left on device for $dir"; fi; fail 71 "${1-cannot write in $dir}"; }
private_directory() {
  [ -L "$1" ] && fail 71 "$1 is a symbolic link, which is refused"
  [ -d "$1" ] || mkdir -p -- "$1" || fail 71 "cannot create $1"
  [ -O "$1" ] || fail 71 "$1 belongs to another user"
  [ -z "$(find "$1" -maxdepth 0 -perm /022)" ] || fail 71 "$1 can be written by others (chmod go-w $1)"
}
# Also what lies below directories that may not be written in.
remove_all() {
  rm -rf -- "$@" 2>/dev/null || {
    for gone; do [ ! -d "$gone" ] || find "$gone" -type d ! -perm -0700 -exec chmod u+rwx {} \; </dev/null; done
    rm -rf -- "$@"
  }
}
# The parents of the paths that come in become writable to their owner until close_directories.
open_directories() {
  [ "$me" -ne 0 ] || { cat >/dev/null; return 0; }
  sed -z 's,^,./,; s,/[^/]*$,,' | sort -zu | (cd "$tree" && xargs -0 -r sh -c 'for path; do
      if [ -d "$path" ] && [ ! -L "$path" ] && [ ! -w "$path" ] && [ -O "$path" ]; then
        printf "%s %s\0" "$(stat -c %a -- "$path")" "$path" >>"$0" && chmod u+rwx -- "$path" || exit 255
      fi
    done' "$dir/$work/opened")
}
close_directories() {
  [ -s "$work/opened" ] || return 0
  (cd "$tree" && xargs -0 -r sh -c 'for line; do
      path=${line#* }
      [ ! -d "$path" ] || chmod "00${line%% *}" -- "$path" || exit 255
    done' sh) <"$work/opened" && rm -f "$work/opened"
}
for tool in flock find sort comm cmp sed head wc xargs sha256sum stat tar; do
  command -v "$tool" >/dev/null || fail 69 "$tool is needed"
done
private_directory "$root"
private_directory "$dir"
cd "$dir" || fail 71 "cannot enter $dir"
true >>lock || unwritable
exec 9>>lock
# Who has brought a context here is about to build it, with a job of its own: until that has the lock, or five seconds have
# passed, nobody else changes the tree. Else two branches of a repo would take it from each other again and again.
is_reserved() {
  [ "$kind" = context ] && { read -r by at <reserved; } 2>/dev/null || return 1
  case $at in '' | *[!0-9]*) return 1 ;; esac
  [ "$by" != "$claim" ] && [ "$(($(date +%s) - at))" -le 5 ]
}
reserve() { [ "$kind" != context ] || printf '%s %s\n' "$claim" "$(date +%s)" >reserved; }
while true; do
  flock -w 1 -x 9 </dev/null || { otto_tell_waiting stage by; flock -x 9 </dev/null || fail 71 "cannot lock $dir/lock"; }
  is_reserved || break
  flock -u 9
  sleep 0.1
done

condition=none id=- digest=- base=
if otto_stage_read stamp; then condition=clean
elif otto_stage_read stamp.old; then condition=half
fi
[ "$condition" = none ] || { id=$otto_s_id tree=$otto_s_tree base=$otto_s_data digest=$otto_s_manifest; }
# A writer that was giving the tree another path may have come to an end before or after it did.
if [ "$condition" = half ] && [ ! -d "$tree" ] && [ -f renaming ]; then
  while read -r name; do
    case $name in */*) ;; tree.*) [ ! -d "$name" ] || [ -L "$name" ] || tree=$name ;; esac
  done <renaming
fi
if [ "$condition" != none ]; then
  if [ "$force" = force ] || [ "$otto_s_kind" != "$kind" ] || [ ! -f "$base/manifest" ] || [ ! -f "$base/bumps" ] ||
    [ ! -f "$base/listing" ] || [ -L "$tree" ] || [ ! -d "$tree" ]; then condition=none id=- digest=- base=; fi
fi
if [ "$condition" = none ]; then
  tree=tree.$fresh
  # In place, containers may hold what is there.
  if [ "$kind" = in-place ]; then
    for path in tree.*; do if [ -d "$path" ] && [ ! -L "$path" ]; then tree=$path; fi; done
  fi
fi
for path in tree.* data.* work.*; do
  case $path in "$tree" | "$base" | *'*') ;; *) remove_all "$path" ;; esac
done
