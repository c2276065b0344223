# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the parts of the exchange share their variables
# shellcheck disable=SC2046 # stat prints two words
# Functions that look at a mounted tree before it is touched, and change it. Needs open.sh; apply.sh calls them.
# check_in_place refuses what cannot be done as long as nothing was touched (docs/stage.md, "In place"). Items are one
# letter and a path: 'w' a file that is written, 'k' a directory that is made or kept, 'm' a mode that is set, and
# those of "delete" (stage_delta.h). A refusal is an exit code and words.

check_items() {
  (cd "$tree" && xargs -0 -r sh -c 'doomed=$0
    refuse() { printf "%s" "$*"; exit 255; }
    owner() { stat -c %U -- "$1"; }
    me=$(id -u)
    for item; do
      how=${item%"${item#?}"} rest=${item#?} at=. gone=
      path=./$rest
      while case $rest in */*) true ;; *) false ;; esac; do
        next=$at/${rest%%/*}
        if [ -L "$next" ] || { [ -e "$next" ] && [ ! -d "$next" ]; }; then
          if grep -z -q -x -F -e "d${next#./}" "$doomed"; then gone=1; break; fi
          [ ! -L "$next" ] || refuse "79 ${next#./} is now a symbolic link"
          refuse "80 ${next#./} is no directory any more"
        fi
        [ -d "$next" ] || { gone=1; break; }
        at=$next rest=${rest#*/}
      done
      if [ "$how" = w ] && [ -z "$gone" ] && [ -e "$path" ] && [ ! -L "$path" ] && [ ! -f "$path" ] &&
        ! sed -z "s/^.//" "$doomed" | grep -z -q -x -F -e "${path#./}"; then
        refuse "80 ${path#./} is no file any more"
      fi
      [ "$me" -ne 0 ] || continue
      if [ -n "$gone" ] || { [ ! -e "$path" ] && [ ! -L "$path" ]; }; then
        case $how in w | k) ;; *) continue ;; esac
      elif [ "$how" = k ] && [ -d "$path" ]; then continue
      elif [ ! -L "$path" ] && case $how in w) [ -f "$path" ] ;; m) true ;; *) false ;; esac; then
        [ -O "$path" ] || refuse "78 ${path#./} belongs to $(owner "$path")"
        continue
      elif [ "$how" = m ]; then continue
      fi
      [ -w "$at" ] || [ -O "$at" ] || refuse "78 ${at#./} belongs to $(owner "$at")"
    done' "$dir/$work/delete" 2>/dev/null)
}
foreign_files() {
  sed -z 's/^.//' "$work/delete" | sort -zu >"$work/doomed"
  sed -z -n '/^[fx]/s/^.//p' "$work/delete" | (cd "$tree" && xargs -0 -r sh -c 'for path; do
      [ -L "./$path" ] || [ ! -d "./$path" ] || find "./$path" -mindepth 1 -print0; done' sh) |
    sed -z 's,^\./,,' | sort -z | comm -z -23 - "$work/doomed" | head -z -n 1 | tr -d '\0'
}
mode_items() { for list in "$work"/mode.* "$work"/dirmode.*; do [ ! -f "$list" ] || sed -z 's/^/m/' "$list"; done; }
check_in_place() {
  [ -d "$tree" ] || return 0
  refusal=$({ cat "$work/delete" "$work/checks" 2>/dev/null; mode_items; } | check_items)
  case $refusal in
    '') ;;
    [0-9][0-9]' ../'*) fail "${refusal%% *}" "$dir/${refusal#* ../}" ;;
    *) fail "${refusal%% *}" "$dir/$tree/${refusal#* }" ;;
  esac
  foreign=$(foreign_files)
  [ -z "$foreign" ] || fail 80 "$dir/$tree/$foreign is not otto's, and its directory must make way"
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
        case $how in f | x) rmdir -- "$path" || exit 1 ;; *) rmdir -- "$path" 2>/dev/null || true ;; esac
      else rm -f -- "$path" || exit 1; fi
    done' "$tree" <"$1" || fail 71 "cannot delete in $dir/$tree"
}
# Of the paths that come in, relative to the stage: those where something lies.
that_exist() { xargs -0 -r sh -c 'for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || printf "%s\0" "$path"; done' sh; }
# Files that are there are written over, which takes room before it gives any back.
check_room() {
  needed=$( (cd "$work/copied" && names) | that_exist | (cd "$work/copied" && xargs -0 -r stat -c %b --) |
    { sum=0; while read -r blocks; do sum=$((sum + blocks)); done; echo $sum; })
  set -- $(stat -f -c '%a %S' .)
  [ "$needed" -le "$(($1 * $2 / 512))" ] || fail 77 "No space left on device for $dir"
}
# What is new gets its name by a link; what is there keeps its inode, and is made writable first.
place_in_place() {
  (cd "$work/copied" && find . -mindepth 1 -type d -print0 </dev/null) | xargs -0 -r mkdir -p -- || unwritable
  (cd "$work/copied" && names) | sort -z >"$work/incoming" && that_exist <"$work/incoming" | sort -z >"$work/over" &&
    comm -z -23 "$work/incoming" "$work/over" >"$work/new" || unwritable
  (cd "$work/copied" && xargs -0 -r cp -l -P --parents -t "$dir" --) <"$work/new" || unwritable
  xargs -0 -r sh -c 'for path; do [ -L "$path" ] || [ -w "$path" ] || printf "%s\0" "$path"; done' sh <"$work/over" |
    xargs -0 -r chmod u+w -- || fail 71 "cannot change modes in $dir/$tree"
  [ -s "$work/over" ] || return 0
  (cd "$work/copied" && tar -c -f - --format=pax --hard-dereference --null -T -) <"$work/over" | unpack --overwrite ||
    exit $?
}
# Never taken away again: containers may have been made by it.
link_tree() {
  [ -s "$work/tree-link" ] || return 0
  link=$(cat "$work/tree-link")
  up=$(printf %s "$link" | sed 's,[^/]*/,../,g; s,[^/]*$,,')
  mkdir -p -- "${link%/*}" && ln -s "$up$tree" "$work/link" && mv -fT "$work/link" "$link" || unwritable
}
change_in_place() {
  if [ ! -d "$tree" ]; then
    { [ ! -d "$work/copied/$tree" ] || mv -T "$work/copied/$tree" "$tree"; } && mkdir -p "$tree" && chmod 00755 "$tree" ||
      unwritable
  fi
  { sed -z 's/^.//' "$work/delete"; cat "$work/paths"; } | open_directories || fail 71 "cannot change modes in $dir/$tree"
  [ ! -s "$work/opened" ] || sed -z 's,^[0-7]* \./,,' "$work/opened" >>pending.modes
  delete_in_place "$work/delete"
  [ ! -d "$work/copied" ] || place_in_place
  finish_modes
  link_tree
}
apply_in_place() {
  [ ! -L "$tree" ] || fail 79 "$dir/$tree is a symbolic link, which is refused"
  check_in_place
  hold
  check_copies
  put_together
  unpack
  all_came
  [ ! -d "$work/copied" ] || check_room
  mark_unfinished
  change_in_place
}
