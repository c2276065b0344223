# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_code is set by the trap that reads it
# Puts a file or tree from standard input in its place. Arguments: see transfer_script.h. Prints `holes yes|no` where it
# is no plain file; what tar or mv say goes to standard error as it is.
# What must not be replaced is written to, as scp does it: a device or FIFO that is DEST itself; a file that is mounted or
# lies in a directory that is closed to the user.
# `mv FILES DIR/` renames onto DIR/FILE itself, also where that is a link to a directory; a read-only directory can only
# be moved while it is made writable.

otto_dest=${1:-.} otto_name=$2 otto_token=$7
case $otto_dest in -*) otto_dest=./$otto_dest ;; esac
otto_fail() { echo "otto: $1" >&2; exit 1; }
otto_gnu=
if [ "$4" != file ]; then
  case $(tar --version 2>/dev/null) in *GNU*) otto_gnu=yes ;; esac
  echo "holes ${otto_gnu:-no}"
fi
otto_bare=$otto_dest
while :; do case $otto_bare in ?*/) otto_bare=${otto_bare%/} ;; *) break ;; esac; done
otto_into=
if [ -d "$otto_dest" ]; then
  otto_into=yes otto_dir=$otto_bare
elif [ "$3" = d ]; then
  [ ! -e "$otto_bare" ] && [ ! -L "$otto_bare" ] || otto_fail "'$otto_bare' is not a directory"
  mkdir -- "$otto_bare" || exit 1
  otto_into=yes otto_dir=$otto_bare
else
  otto_name=${otto_bare##*/}
  case $otto_bare in */*) otto_dir=${otto_bare%/*}; [ -n "$otto_dir" ] || otto_dir=/ ;; *) otto_dir=. ;; esac
  [ -d "$otto_dir" ] || otto_fail "there is no directory '$otto_dir'"
  [ "$4" != tree ] || [ ! -e "$otto_bare" ] || otto_fail "'$otto_bare' is a file, not a directory"
fi
otto_target=$otto_dir/$otto_name otto_write=
[ ! -S "$otto_target" ] || otto_fail "'$otto_target' is a socket"
if [ -e "$otto_target" ] && [ ! -d "$otto_target" ] && [ "$4" != tree ]; then
  if [ ! -f "$otto_target" ]; then
    [ -z "$otto_into" ] || otto_fail "'$otto_target' is a device or FIFO, and is not replaced; name it as DEST itself to write to it"
    otto_write=yes
  elif [ ! -w "$otto_dir" ] && [ -w "$otto_target" ]; then
    otto_write=yes
  fi
fi
otto_tmp=$otto_dir/.otto-put-$otto_token
[ -z "$otto_write" ] || otto_tmp=${TMPDIR:-/tmp}/.otto-put-$otto_token
otto_clean() {
  trap '' TERM INT HUP PIPE
  otto_setsid=$(command -v setsid) || otto_setsid=
  (unset OTTO_EXEC_ID; exec $otto_setsid sh -c 'chmod -R u+rwx "$1"; rm -rf "$1"' sh "$otto_tmp") </dev/null >/dev/null 2>&1 &
}
trap 'otto_code=$?; otto_clean; wait; exit $otto_code' EXIT
trap 'otto_clean; trap - EXIT; exit 143' TERM INT HUP PIPE
(umask 077; mkdir -- "$otto_tmp") || exit 1

otto_move() {
  otto_closed=
  if [ -d "$1" ] && [ ! -L "$1" ] && [ ! -w "$1" ]; then otto_closed=yes; chmod u+w "$1" || return 1; fi
  mv -f -- "$1" "$2/" || return 1
  [ -z "$otto_closed" ] || chmod u-w "$2/${1##*/}"
}
# Moves the files given into the directory $otto_to.
otto_moves() {
  otto_said=$(mv -f -- "$@" "$otto_to/" 2>&1) && return
  for otto_entry; do
    [ -e "$otto_entry" ] || [ -L "$otto_entry" ] || continue
    otto_target=$otto_to/${otto_entry##*/}
    if [ -f "$otto_entry" ] && [ ! -L "$otto_entry" ] && [ -f "$otto_target" ] && [ ! -L "$otto_target" ] && [ -w "$otto_target" ]; then
      cat <"$otto_entry" >"$otto_target" || return 1
    else
      printf '%s\n' "$otto_said" >&2
      return 1
    fi
  done
}
otto_merge() {
  otto_from=$1 otto_to=$2
  set --
  [ -w "$otto_from" ] || chmod u+rwx "$otto_from"
  for otto_entry in "$otto_from"/* "$otto_from"/.[!.]* "$otto_from"/..?*; do
    [ -e "$otto_entry" ] || [ -L "$otto_entry" ] || continue
    otto_target=$otto_to/${otto_entry##*/}
    if [ -d "$otto_entry" ] && [ ! -L "$otto_entry" ]; then
      if [ -L "$otto_target" ]; then
        otto_fail "'$otto_target' is a symbolic link, and a directory is not written through it"
      elif [ -d "$otto_target" ]; then
        (otto_merge "$otto_entry" "$otto_target") || return 1
      elif [ -e "$otto_target" ]; then
        otto_fail "'$otto_target' is a file, not a directory"
      else
        otto_move "$otto_entry" "$otto_to" || return 1
      fi
      continue
    fi
    if [ -e "$otto_target" ] && [ ! -f "$otto_target" ] && [ ! -L "$otto_target" ]; then
      [ ! -d "$otto_target" ] || otto_fail "'$otto_target' is a directory, not a file"
      otto_fail "'$otto_target' is a device, a FIFO or a socket, and is not replaced"
    fi
    set -- "$@" "$otto_entry"
    if [ $# -ge 500 ]; then
      otto_moves "$@" || return 1
      set --
    fi
  done
  [ $# -eq 0 ] || otto_moves "$@"
}

mkdir "$otto_tmp/r" || exit 1
if [ "$4" != tree ]; then
  if [ -d "$otto_dir/$otto_name" ] && [ ! -L "$otto_dir/$otto_name" ]; then
    otto_fail "'$otto_dir/$otto_name' is a directory"
  fi
  if [ "$4" = sparse ] && [ -n "$otto_gnu" ]; then
    tar -x -m -o -f - -C "$otto_tmp" && mv -- "$otto_tmp/s" "$otto_tmp/r/$otto_name" || exit 1
  else
    cat >"$otto_tmp/r/$otto_name" || exit 1
  fi
  otto_size=$(stat -c %s "$otto_tmp/r/$otto_name" 2>/dev/null) || otto_size=$(($(wc -c <"$otto_tmp/r/$otto_name")))
  [ "$otto_size" = "$5" ] || otto_fail 'the transfer was cut'
  if [ -n "$otto_write" ]; then
    cat <"$otto_tmp/r/$otto_name" >"$otto_target" || exit 1
  else
    otto_to=$otto_dir
    chmod "$6" "$otto_tmp/r/$otto_name" && otto_moves "$otto_tmp/r/$otto_name" || exit 1
  fi
else
  tar -x -m -p -o -f - -C "$otto_tmp" || exit 1
  [ -e "$otto_tmp/end" ] || otto_fail 'the transfer was cut'
  if [ -n "$otto_into" ]; then
    otto_merge "$otto_tmp/s" "$otto_dir" || exit 1
  else
    otto_root=$otto_tmp/s${2:+/$2} otto_closed=
    if [ ! -w "$otto_root" ]; then otto_closed=yes; chmod u+w "$otto_root" || exit 1; fi
    mv -- "$otto_root" "$otto_tmp/r/$otto_name" && mv -f -- "$otto_tmp/r/$otto_name" "$otto_dir/" || exit 1
    [ -z "$otto_closed" ] || chmod u-w "$otto_dir/$otto_name"
  fi
fi
rm -rf "$otto_tmp"
trap - EXIT
exit 0
