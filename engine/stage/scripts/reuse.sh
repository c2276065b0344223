# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the parts of the exchange share their variables
# shellcheck disable=SC1090 # the recipes that were sent
# Functions that make files from the stage's own (docs/stage.md, "Reuse"). Needs open.sh; apply.sh calls them.
# Moved files keep their inode, the others become copies. Large files are put together from chunks of old ones, and their
# chunk lists likewise: "recipes" is calls of begin to end. Lists only save bytes: trouble with them is none.

hold() {
  [ -s "$work/links" ] || return 0
  if [ "$kind" = context ]; then
    otto_stage_list "$tree" >"$work/now" || unwritable "cannot read $dir/$tree"
    true >"$work/none"
    expect_unedited "$work/now" "$work/none"
  fi
  tar -x -f "$work/links" -P || fail 74 "cannot make links in $dir"
}
names() { find . ! -type d -print0 </dev/null; }
copy() {
  (cd "$work/$1" && names | tar -c -f - --format=pax --hard-dereference --null -T -) |
    tar -x -f - -C "$2" -P -p --no-same-owner --warning=no-timestamp
}
check_copies() {
  [ -d "$work/copied" ] || return 0
  mkdir "$work/checked" && copy copied "$work/checked" && rm -rf -- "$work/copied" &&
    mv "$work/checked" "$work/copied" || unwritable
  case $(cd "$work/copied/$tree" && names | sort -z | xargs -0 -r sha256sum -z | sha256sum) in "$(cat "$work/copies") "*) ;;
    *) fail 74 "what was to be copied in $dir is not what was staged" ;;
  esac
}
place() {
  if [ -d "$work/moved" ]; then
    cp -r -l -P --remove-destination -- "$work/moved/." "$tree/" || unwritable
  fi
  if [ -d "$work/copied" ]; then copy copied "$tree" || unwritable; fi
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
  if [ "$kind" = context ]; then made=moved; else made=copied/$tree; fi
  . "./$work/recipes"
  rm -f "$work/literals"
}
keep_lists() {
  [ -d "$work/lists" ] || return 0
  { mkdir -p chunks && mv -f "$work/lists"/* chunks/ && ls chunks >"$work/have" &&
    grep -o -F -f "$work/have" "$data/manifest" | sort -u | comm -23 "$work/have" - |
    (cd chunks && xargs -r rm -f --); } </dev/null 2>/dev/null || true
}
