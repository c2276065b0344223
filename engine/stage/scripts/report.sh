# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the parts of the exchange share their variables
# Prints the state and its sections (docs/stage.md, "One exchange, one job"). Needs open.sh.
# What a hand or a killed writer left that cannot even be listed is made readable first: its line differs in any case.

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
