#include "engine/docker/stage_script.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::docker {
namespace {

// otto_stage_list: what lies in a directory, one NUL-ended line an entry, sorted: PATH//TYPE FACTS MTIME CTIME. No path
// holds "//", so the lines cannot be re-spelt into each other. otto_stage_shape drops the times (shape_digest()).
// otto_stage_read FILE: reads a stamp into otto_s_*; false where it is not whole.
constexpr std::string_view kCommon = R"sh(
otto_stage_list() {
  (cd "$1" && LC_ALL=C find . -mindepth 1 \( -type d -printf '%P//d %m - -\0' \
    -o -type l -printf '%P//l %l %T@ %C@\0' -o -type f -printf '%P//f %m %s %T@ %C@\0' \
    -o -type p -printf '%P//p %m %T@ %C@\0' -o -printf '%P//o %y - -\0' \) </dev/null) | LC_ALL=C sort -z
}
otto_stage_shape() { LC_ALL=C sed -z 's/ [^ ]* [^ ]*$//'; }
otto_stage_read() {
  [ -f "$1" ] || return 1
  { read -r otto_s_magic && read -r otto_s_kind && read -r otto_s_id && read -r otto_s_tree && read -r otto_s_data &&
    read -r otto_s_manifest && read -r otto_s_end; } <"$1" 2>/dev/null || return 1
  [ "$otto_s_magic" = "otto-stage 1" ] && [ "$otto_s_end" = end ] || return 1
  case $otto_s_tree/$otto_s_data in */*/*) return 1 ;; tree*/data.*) return 0 ;; esac
  return 1
}
)sh";

constexpr std::string_view kOpen = R"sh(
set -u
umask 077
export LC_ALL=C
unset TAR_OPTIONS POSIXLY_CORRECT ZSTD_CLEVEL GZIP
root=$1 key=$2 kind=$3 known=$4 fresh=$5 codec=$6 force=$7
dir=$root/$key
fail() { code=$1; shift; printf 'otto-stage: %s\n' "$*" >&2; exit "$code"; }
private_directory() {
  [ -L "$1" ] && fail 71 "$1 is a symbolic link, which is refused"
  [ -d "$1" ] || mkdir -p -- "$1" || fail 71 "cannot create $1"
  [ -O "$1" ] || fail 71 "$1 belongs to another user"
  [ -z "$(find "$1" -maxdepth 0 -perm /022)" ] || fail 71 "$1 can be written by others (chmod go-w $1)"
}
for tool in flock find sort comm cmp sed head wc xargs sha256sum tar; do
  command -v "$tool" >/dev/null || fail 69 "$tool is needed"
done
private_directory "$root"
private_directory "$dir"
cd "$dir" || fail 71 "cannot enter $dir"
true >>lock || fail 71 "cannot write in $dir"
exec 9>>lock
flock -w 1 -x 9 </dev/null || { printf 'waiting\n'; flock -x 9 </dev/null || fail 71 "cannot lock $dir/lock"; }

condition=none id=- digest=- base=
if otto_stage_read stamp; then condition=clean
elif otto_stage_read stamp.old; then condition=half
fi
[ "$condition" = none ] || { id=$otto_s_id tree=$otto_s_tree base=$otto_s_data digest=$otto_s_manifest; }
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
  case $path in "$tree" | "$base" | *'*') ;; *) rm -rf -- "$path" ;; esac
done
)sh";

// An edit by hand that only changed directories' modes is put right here: they are not worth a line of the exchange.
constexpr std::string_view kReport = R"sh(
work=work.$fresh
# The files whose lines of the second listing are not in the first.
changed_files() { comm -z -13 "$1" "$2" | sed -z -n 's,^\(\([^/]\|/[^/]\)*\)//f [^/]*$,\1,p'; }
# Files that an unfinished writer left are sent again in any case; where they filled the disk nothing could be received.
drop_unfinished() {
  changed_files "$base/listing" "$work/listing" | (cd "$tree" && xargs -0 -r rm -f --)
}
section() { size=$(wc -c <"$2") && printf 'section %s %s\n' "$1" "$((size))" && cat <"$2"; }
packed() { case $codec in zstd) zstd -1 -qc <"$1" ;; gzip) gzip -1 -nc <"$1" ;; *) cat <"$1" ;; esac; }
if [ "$kind" = context ] && [ "$condition" != none ]; then
  if [ "$condition" = half ] || ! otto_stage_list "$tree" 2>/dev/null | cmp -s - "$base/listing"; then
    find "$tree" -type d ! -perm 0755 -exec chmod 00755 {} \; </dev/null
    mkdir "$work" || fail 71 "cannot write in $dir"
    otto_stage_list "$tree" >"$work/listing" || fail 71 "cannot read $dir/$tree"
    comm -z -3 "$base/listing" "$work/listing" >"$work/differences" || fail 71 "cannot write in $dir"
    if [ "$condition" = half ]; then drop_unfinished; else condition=edited; fi
  fi
fi
printf 'state %s %s %s %s\n' "$condition" "$id" "$digest" "$dir/$tree"
if [ "$condition" != none ]; then
  [ ! -s "$base/bumps" ] || section bumps "$base/bumps"
  [ ! -s "$work/differences" ] || section differences "$work/differences"
  if [ "$id" != "$known" ]; then
    printf 'section manifest %s\n' "$(($(packed "$base/manifest" | wc -c)))"
    packed "$base/manifest"
  fi
fi
[ ! -s pending ] || section pending pending
printf 'ready\n'
)sh";

// What is made from the stage's own files (docs/stage.md, "Reuse"). Moved files keep their inode, the others become
// copies. Large files are put together from chunks of old ones, and their chunk lists likewise: "recipes" is calls of
// begin to end. Lists only save bytes: trouble with them is none.
constexpr std::string_view kReuse = R"sh(
hold() {
  [ -s "$work/links" ] || return 0
  if [ "$kind" = context ]; then
    otto_stage_list "$tree" >"$work/now" || fail 71 "cannot read $dir/$tree"
    true >"$work/none"
    expect_unedited "$work/now" "$work/none"
  fi
  tar -x -f "$work/links" -P || fail 74 "cannot make links in $dir"
}
names() { find . ! -type d -print0 </dev/null; }
copy() {
  (cd "$work/$1" && names | tar -c -f - --format=pax --hard-dereference --null -T -) |
    tar -x -f - -C "$2" -P -p --no-same-owner --warning=no-timestamp $3
}
check_copies() {
  [ -d "$work/copied" ] || return 0
  mkdir "$work/checked" && copy copied "$work/checked" "" && rm -rf -- "$work/copied" &&
    mv "$work/checked" "$work/copied" || fail 71 "cannot write in $dir"
  case $(cd "$work/copied" && names | sort -z | xargs -0 -r sha256sum -z | sha256sum) in "$(cat "$work/copies") "*) ;;
    *) fail 74 "what was to be copied in $dir is not what was staged" ;;
  esac
}
place() {
  if [ -d "$work/moved" ]; then
    cp -r -l -P --remove-destination -- "$work/moved/." "$tree/" || fail 71 "cannot write in $dir/$tree"
  fi
  if [ -d "$work/copied" ]; then copy copied "$tree" "$overwrite" || fail 71 "cannot write in $dir/$tree"; fi
  rm -rf -- "$work/moved" "$work/copied" "$work/links"
}
begin() {
  from=$tree/$2 out=$work/$made/$1
  [ -f "$from" ] && [ ! -L "$from" ] && [ -r "$from" ] || fail 74 "$dir/$from is not what was staged"
  mkdir -p -- "${out%/*}" && true >"$out" || fail 74 "cannot write in $dir"
}
begin_list() {
  from=chunks/$2 out=$work/lists/$1
  mkdir -p "$work/lists" && true >"$out" || fail 74 "cannot write in $dir"
}
piece() {
  dd if="$1" bs=256K iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none </dev/null >>"$out" ||
    fail 74 "cannot write in $dir"
}
old() { piece "$from" "$@"; }
new() { piece "$work/literals" "$@"; }
end() {
  case $(sha256sum <"$out") in "$1 "*) ;; *) fail 74 "$dir/$from is not what was staged" ;; esac
  chmod "0$3" "$out" && touch -d "@$2" "$out" || fail 74 "cannot write in $dir"
}
put_together() {
  [ -s "$work/recipes" ] || return 0
  if [ "$kind" = context ]; then made=moved; else made=copied; fi
  . "./$work/recipes"
  rm -f "$work/literals"
}
keep_lists() {
  [ -d "$work/lists" ] || return 0
  { mkdir -p chunks && mv -f "$work/lists"/* chunks/ && ls chunks >"$work/have" &&
    grep -o -F -f "$work/have" "$data/manifest" | sort -u | comm -23 "$work/have" - |
    (cd chunks && xargs -r rm -f --); } </dev/null 2>/dev/null || true
}
)sh";

// Numbered as in docs/stage.md, "Order of writes".
constexpr std::string_view kApply = R"sh(
take() {
  head -c "$2" >"$1" || fail 71 "cannot write in $dir"
  [ "$(($(wc -c <"$1")))" = "$2" ] || fail 73 "input ended early"
}
safe_paths() {
  xargs -0 -r sh -c 'cd "$0" || exit 1
    for path; do
      rest=$path at=.
      while case $rest in */*) true ;; *) false ;; esac; do
        at=$at/${rest%%/*} rest=${rest#*/}
        if [ -L "$at" ]; then printf "otto-stage: %s is now a symbolic link\n" "$0/${at#./}" >&2; exit 1; fi
      done
    done' "$tree" <"$1" || exit 71
}
delete_in_place() {
  xargs -0 -r sh -c 'cd "$0" || exit 1
    for path; do
      how=${path%"${path#?}"} path=./${path#?}
      case $how in
        d) [ -L "$path" ] || [ ! -d "$path" ] || continue ;;
        f) [ -L "$path" ] || [ ! -f "$path" ] || continue ;;
      esac
      if [ -d "$path" ] && [ ! -L "$path" ]; then
        if [ "$how" = f ]; then rmdir -- "$path" || exit 1; else rmdir -- "$path" 2>/dev/null || true; fi
      else rm -f -- "$path" || exit 1; fi
    done' "$tree" <"$1" || fail 71 "cannot delete in $dir/$tree"
}
receive_sections() {
  while read -r word name size; do
    case $word in
      section) take "$work/$name" "$size" ;;
      tar) return 0 ;;
      *) break ;;
    esac
  done
  fail 73 "input ended early"
}
merge_manifest() {
  old=/dev/null
  [ -z "$base" ] || old=$base/manifest
  comm -23 "$old" "$work/removed" >"$work/kept" && sort -m "$work/kept" "$work/added" >"$data/manifest" ||
    fail 71 "cannot write in $dir"
  case $(sha256sum <"$data/manifest") in "$manifest_digest "*) ;; *) fail 72 "the manifest is another one" ;; esac
}
mark_unfinished() {
  if [ "$kind" = in-place ]; then
    [ ! -d "$tree" ] || safe_paths "$work/paths"
    cat "$work/paths" >>pending || fail 71 "cannot write in $dir"
  fi
  if [ "$condition" = none ]; then rm -f stamp stamp.old || fail 71 "cannot write in $dir"
  elif [ -f stamp ]; then mv -f stamp stamp.old || fail 71 "cannot write in $dir"
  fi
}
change_tree() {
  overwrite=
  [ "$kind" = context ] || overwrite=--overwrite
  [ ! -L "$tree" ] || fail 71 "$dir/$tree is a symbolic link, which is refused"
  [ -d "$tree" ] || mkdir "$tree" || fail 71 "cannot write in $dir"
  chmod 00755 "$tree"
  if [ "$kind" = in-place ]; then delete_in_place "$work/delete"
  else (cd "$tree" && xargs -0 -r rm -rf --) <"$work/delete" || fail 71 "cannot delete in $dir/$tree"
  fi
  place
  for list in "$work"/mode.*; do
    [ -f "$list" ] || continue
    (cd "$tree" && xargs -0 -r chmod "0${list##*.}" --) <"$list" || fail 71 "cannot change modes in $dir/$tree"
  done
  tar -x -f - -P -p --no-same-owner --warning=no-timestamp --warning=no-unknown-keyword $overwrite || fail 71 "cannot unpack into $dir/$tree"
  cat >/dev/null
  [ -f "$work/complete" ] || fail 73 "input ended early"
}
# Sizes and times tell the edits that somebody made by hand since the report; $2 lists the files that we have changed.
expect_unedited() {
  [ -n "$base" ] || return 0
  reported=$base/listing
  [ ! -f "$work/listing" ] || reported=$work/listing
  [ "$(changed_files "$reported" "$1" | sort -z | comm -z -23 - "$2" | wc -c)" -eq 0 ] || fail 71 "$meddled"
}
finish() {
  true >"$data/listing" || fail 71 "cannot write in $dir"
  if [ "$kind" = context ]; then
    otto_stage_list "$tree" >"$data/listing" || fail 71 "cannot read back $dir/$tree"
    case $(otto_stage_shape <"$data/listing" | sha256sum) in "$shape_digest "*) ;;
      *) fail 71 "$meddled" ;;
    esac
    sort -z "$work/paths" >"$work/written" || fail 71 "cannot write in $dir"
    expect_unedited "$data/listing" "$work/written"
  fi
  keep_lists
  cat "$work/bumps" >"$data/bumps" &&
    printf 'otto-stage 1\n%s\n%s\n%s\n%s\n%s\nend\n' "$kind" "$fresh" "$tree" "$data" "$manifest_digest" \
      >"$work/stamp" &&
    mv -f "$work/stamp" stamp || fail 71 "cannot write in $dir"
  rm -rf -- stamp.old pending "$work" ${base:+"$base"}
  printf 'done\n'
}
apply() {
  data=data.$fresh
  meddled="what lies in $dir/$tree is not what was sent (is something else writing there?)"
  { [ -d "$work" ] || mkdir "$work"; } && mkdir "$data" || fail 71 "cannot write in $dir"
  receive_sections
  merge_manifest
  if [ "$kind" = in-place ]; then hold; check_copies; fi
  put_together
  mark_unfinished
  [ "$kind" = in-place ] || hold
  change_tree
  finish
}

while true; do
  read -r order || fail 73 "input ended early"
  set -- $order
  case ${1-} in
    '') continue ;;
    chunks) shift ;;
    *) break ;;
  esac
  for digest; do [ ! -f "chunks/$digest" ] || section "chunks.$digest" "chunks/$digest"; done
  printf 'ready\n'
done
case $1 in
  keep) rm -rf -- "$work"; printf 'done\n'; exit 0 ;;
  put) incoming=$2 manifest_digest=$3 shape_digest=$4 ;;
  *) fail 73 "unknown order" ;;
esac
for tool in tar find; do
  case $("$tool" --version 2>/dev/null </dev/null) in *GNU*) ;; *) fail 69 "GNU $tool is needed" ;; esac
done
case $incoming in
  zstd) zstd -dqc | apply ;;
  gzip) gzip -dc | apply ;;
  *) apply ;;
esac
)sh";

constexpr std::string_view kGuard = R"sh(
otto_stage_stale() { printf 'otto-stage-stale\n' >&2; exit 75; }
otto_stage_enter() {
  otto_stage_dir=$otto_stage_root/$1 otto_stage_stamp=$2
  [ -r "$otto_stage_dir/lock" ] || otto_stage_stale
  exec 9<"$otto_stage_dir/lock"
  flock -s 9 </dev/null || otto_stage_stale
  otto_stage_verify
  otto_stage_tree=$otto_stage_dir/$otto_s_tree
}
otto_stage_verify() {
  otto_stage_read "$otto_stage_dir/stamp" && [ "$otto_s_id" = "$otto_stage_stamp" ] || otto_stage_stale
  [ -d "$otto_stage_dir/$otto_s_tree" ] || otto_stage_stale
  [ "$otto_s_kind" = context ] || return 0
  otto_stage_list "$otto_stage_dir/$otto_s_tree" | cmp -s - "$otto_stage_dir/$otto_s_data/listing" || otto_stage_stale
}
)sh";

}  // namespace

std::string_view stage_exchange_script() {
  static const std::string script = fmt::format("{}{}{}{}{}", kCommon, kOpen, kReport, kReuse, kApply);
  return script;
}

std::string job_folder_text(std::string_view root, std::string_view job) {
  return fmt::format(R"sh(
find {root} -maxdepth 1 -type d \( -name 'build.??????????' -o -name 'compose.??????????' \) -mmin +60 \
  -exec flock -n -x '{{}}' rm -rf '{{}}' ';' </dev/null 2>/dev/null
otto_work=$(mktemp -d {root}/{job}.XXXXXXXXXX) || exit 1
trap 'trap "" TERM INT HUP PIPE; rm -rf "$otto_work"' EXIT  # a job may be told to end more than once
trap 'exit 143' TERM INT HUP PIPE
exec 8<"$otto_work" && flock -s 8 </dev/null || exit 1
otto_awaited() {{ "$@" </dev/null & wait $!; }}
)sh",
                     fmt::arg("root", text::shell_quote(root)), fmt::arg("job", job));
}

std::string stage_guard_text(std::string_view root) {
  return fmt::format("otto_stage_root={}\n{}{}", text::shell_quote(root), kCommon, kGuard);
}

}  // namespace otto::docker
