#include "engine/stage/stage_script_parts.h"

namespace otto::stage {

// otto_stage_list: what lies in a directory, one NUL-ended line an entry, sorted: PATH//TYPE FACTS MTIME CTIME. No path
// holds "//", so the lines cannot be re-spelt into each other. A directory's ctime tells a mode that was changed and
// changed back. otto_stage_shape drops the times (shape_digest()). otto_stage_read FILE: reads a stamp into otto_s_*;
// false where it is not whole.
const std::string_view kStageCommon = R"sh(
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
)sh";

// ENOSPC and EDQUOT have no exit status of their own, so is_full tries, and hears what is said.
const std::string_view kStageOpen = R"sh(
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
)sh";

// What a hand or a killed writer left that cannot even be listed is made readable first: its line differs in any case.
const std::string_view kStageReport = R"sh(
work=work.$fresh
# The files whose lines of the second listing are not in the first.
changed_files() { comm -z -13 "$1" "$2" | sed -z -n 's,^\(\([^/]\|/[^/]\)*\)//f [^/]*$,\1,p'; }
# Files that an unfinished writer left are sent again in any case; where they filled the disk nothing could be received.
drop_unfinished() {
  changed_files "$base/listing" "$1" | (cd "$tree" && xargs -0 -r rm -f -- 2>/dev/null) || {
    changed_files "$base/listing" "$1" | open_directories
    changed_files "$base/listing" "$1" | (cd "$tree" && xargs -0 -r rm -f --)
    close_directories
  }
}
# An older otto's listing has no times of directories, and is right but for that.
renew_listing() {
  [ "$condition/$otto_s_magic" = "clean/otto-stage 1" ] || return 1
  sed -z 's,//d \([0-7]*\) - [^ ]*$,//d \1 - -,' "$work/listing" | cmp -s - "$base/listing" || return 1
  sed '1s/1$/2/' stamp >"$work/stamp" && mv -f "$work/listing" "$base/listing" && mv -f "$work/stamp" stamp || unwritable
  rmdir "$work"
}
look_at_tree() {
  otto_stage_list "$tree" 2>/dev/null | cmp -s - "$base/listing" && [ "$condition" = clean ] && return 0
  [ "$me" -eq 0 ] || find "$tree" -type d ! -perm -0500 -exec chmod u+rx {} \; </dev/null
  mkdir "$work" || unwritable
  otto_stage_list "$tree" >"$work/listing" || unwritable "cannot read $dir/$tree"
  renew_listing && return 0
  comm -z -3 "$base/listing" "$work/listing" >"$work/differences" || unwritable
  if [ "$condition" = half ]; then drop_unfinished "$work/listing"; else condition=edited; fi
}
section() { size=$(wc -c <"$2") && printf 'section %s %s\n' "$1" "$((size))" && cat <"$2"; }
packed() { case $codec in zstd) zstd -1 -qc <"$1" ;; gzip) gzip -1 -nc <"$1" ;; *) cat <"$1" ;; esac; }
if [ "$kind" = context ] && [ "$condition" != none ]; then look_at_tree; fi
printf 'state %s %s %s %s\n' "$condition" "$id" "$digest" "$dir/$tree"
if [ "$condition" != none ]; then
  [ ! -s "$base/bumps" ] || section bumps "$base/bumps"
  [ ! -s "$work/differences" ] || section differences "$work/differences"
  [ "$condition" != half ] || [ ! -f renaming ] || printf 'section renaming 0\n'
  if [ "$id" != "$known" ]; then
    printf 'section manifest %s\n' "$(($(packed "$base/manifest" | wc -c)))"
    packed "$base/manifest"
  fi
fi
[ ! -s pending ] || section pending pending
[ ! -s pending.modes ] || section pending-modes pending.modes
printf 'ready\n'
)sh";

}  // namespace otto::stage
