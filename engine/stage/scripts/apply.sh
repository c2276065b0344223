# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the parts of the exchange share their variables
# shellcheck disable=SC2120 # in_place.sh passes an option to unpack
# Reads the order and does what it says (docs/stage.md, "Order of writes", whose numbers these are). Prints sections and
# `ready` for `chunks`, `done` at the end. Needs all that comes before. give_up takes away what this exchange has half
# written: above all where it filled the disk.

phase=before
give_up() {
  [ "$phase" != over ] || return 0
  { rm -rf -- "$work" "${data:-$work}"
    if [ "$phase/$kind" = changing/context ]; then
      if [ -z "$base" ]; then remove_all "$tree"
      else otto_stage_list "$tree" | drop_unfinished -
      fi
    fi
  } >/dev/null 2>&1
}
take() {
  head -c "$2" >"$1" || unwritable
  [ "$(($(wc -c <"$1")))" = "$2" ] || fail 73 "input ended early"
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
  comm -23 "$old" "$work/removed" >"$work/kept" && sort -m "$work/kept" "$work/added" >"$data/manifest" || unwritable
  case $(sha256sum <"$data/manifest") in "$manifest_digest "*) ;; *) fail 72 "the manifest is another one" ;; esac
}
# tar goes on after an error and has a line for each file: the first few say it all.
unpack() {
  heard=$({ tar -x -f - -P -p --no-same-owner --warning=no-timestamp --warning=no-unknown-keyword "$@" 2>&1 &&
    echo otto-unpacked; } | sed -n -e '1,3{p;d}' -e '$p')
  case $heard in
    *otto-unpacked) ;;
    *"No space left on device"* | *"quota exceeded"*) fail 77 "No space left on device for $dir" ;;
    *"Unexpected EOF"*) fail 73 "input ended early" ;;
    *) unwritable "cannot unpack into $dir: $heard" ;;
  esac
}
all_came() {
  cat >/dev/null
  [ -f "$work/complete" ] || fail 73 "input ended early"
}
mark_unfinished() {
  phase=changing
  rm -f renaming
  if [ "$kind" = in-place ]; then
    cat "$work/paths" >>pending && for list in "$work"/mode.* "$work"/dirmode.*; do
      [ ! -f "$list" ] || cat "$list" >>pending.modes || unwritable
    done || unwritable
  elif [ -s "$work/new-path" ]; then
    printf '%s\ntree.%s\n' "$tree" "$fresh" >"$work/renaming" && mv -f "$work/renaming" renaming || unwritable
  fi
  if [ "$condition" = none ]; then rm -f stamp stamp.old || unwritable
  elif [ -f stamp ]; then mv -f stamp stamp.old || unwritable
  fi
  [ ! -s "$work/new-path" ] || { mv -T "$tree" "tree.$fresh" && tree=tree.$fresh; } || unwritable
}
set_modes() {
  for list in "$work/$1".*; do
    [ -f "$list" ] || continue
    (cd "$tree" && xargs -0 -r sh -c 'for path; do
        [ -L "./$path" ] || [ ! -e "./$path" ] || case $0 in mode) [ -d "./$path" ] ;; *) [ ! -d "./$path" ] ;; esac ||
          printf "%s\0" "./$path"
      done' "$1" <"../$list" |
      xargs -0 -r chmod "0${list##*.}" --) || fail 71 "cannot change modes in $dir/$tree"
  done
}
# A directory's own mode may be one that lets nobody write in it.
finish_modes() {
  set_modes mode
  close_directories || fail 71 "cannot change modes in $dir/$tree"
  set_modes dirmode
}
delete_in_context() {
  (cd "$tree" && xargs -0 -r rm -rf -- 2>/dev/null) <"$work/delete" && return 0
  sed -z 's,^,./,' "$work/delete" | (cd "$tree" && xargs -0 -r sh -c \
    'find "$@" -type d ! -perm -0700 -exec chmod u+rwx {} \; 2>/dev/null </dev/null; rm -rf -- "$@"' sh) ||
    fail 71 "cannot delete in $dir/$tree"
}
change_context() {
  [ ! -L "$tree" ] || fail 79 "$dir/$tree is a symbolic link, which is refused"
  [ -d "$tree" ] || mkdir "$tree" || unwritable
  chmod 00755 "$tree"
  cat "$work/delete" "$work/paths" | open_directories || fail 71 "cannot change modes in $dir/$tree"
  delete_in_context
  place
  unpack
  all_came
  finish_modes
}
apply_context() {
  put_together
  mark_unfinished
  hold
  change_context
}
# Sizes and times tell the edits that somebody made by hand since the report; $2 lists the files that we have changed.
expect_unedited() {
  [ -n "$base" ] || return 0
  reported=$base/listing
  [ ! -f "$work/listing" ] || reported=$work/listing
  [ "$(changed_files "$reported" "$1" | sort -z | comm -z -23 - "$2" | wc -c)" -eq 0 ] || fail 81 "$meddled"
}
finish() {
  true >"$data/listing" || unwritable
  version=1
  if [ "$kind" = context ]; then
    version=2
    otto_stage_list "$tree" >"$data/listing" || unwritable "cannot read back $dir/$tree"
    case $(otto_stage_shape <"$data/listing" | sha256sum) in "$shape_digest "*) ;;
      *) fail 81 "$meddled" ;;
    esac
    sort -z "$work/paths" >"$work/written" || unwritable
    expect_unedited "$data/listing" "$work/written"
  fi
  keep_lists
  cat "$work/bumps" >"$data/bumps" &&
    printf 'otto-stage %s\n%s\n%s\n%s\n%s\n%s\nend\n' $version "$kind" "$fresh" "$tree" "$data" "$manifest_digest" \
      >"$work/stamp" &&
    mv -f "$work/stamp" stamp || unwritable
  phase=over
  rm -rf -- stamp.old pending pending.modes renaming "$work" ${base:+"$base"}
  reserve
  printf 'done\n'
}
apply() {
  data=data.$fresh
  meddled="what lies in $dir/$tree is not what was sent (is something else writing there?)"
  trap 'give_up; exit 143' TERM INT HUP
  otto_note_holder "$who" by || unwritable
  { [ -d "$work" ] || mkdir "$work"; } && mkdir "$data" || unwritable
  receive_sections
  merge_manifest
  if [ -s "$work/closed" ] && [ "$me" -ne 0 ]; then
    fail 82 "the directory $(cat "$work/closed") has a mode that keeps its owner out"
  fi
  if [ "$kind" = in-place ]; then apply_in_place; else apply_context; fi
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
