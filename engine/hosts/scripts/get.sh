# shellcheck shell=sh
# Sends files and trees. Arguments: one|plain|many SOURCE... (plain: holes need not stay holes.) Prints `file MODE BYTES` and
# the bytes, or `tree`, a line `d` or `f` for each source, and the tar archives.
# The kernel's own file systems do not know how long a file is: what lies there is read to its end into a copy first,
# because tar believes the length.

otto_count=$1
shift
otto_gnu=
case $(tar --version 2>/dev/null) in *GNU*) otto_gnu=yes ;; esac
otto_wrong=
for otto_source; do
  if [ -d "$otto_source" ] || [ -f "$otto_source" ]; then continue; fi
  if [ -e "$otto_source" ]; then
    echo "otto: '$otto_source' is neither a file nor a directory" >&2
  else
    echo "otto: there is no '$otto_source'" >&2
  fi
  otto_wrong=yes
done
[ -z "$otto_wrong" ] || exit 1
otto_sparse() {
  [ -n "$otto_gnu" ] || return 1
  otto_blocks=$(stat -L -c %b -- "$1" 2>/dev/null) || return 1
  [ "$2" -gt 1048576 ] && [ $((otto_blocks * 1024)) -lt "$2" ]
}
if [ "$otto_count" != many ] && [ -f "$1" ]; then
  case $1 in -*) set -- "./$1" ;; esac
  otto_facts=$(stat -L -c '%a %s' -- "$1" 2>/dev/null) || otto_facts="644 $(($(wc -c <"$1")))" || exit 1
  if [ "$otto_count" = plain ] || ! otto_sparse "$1" "${otto_facts#* }"; then
    exec 3<"$1" || exit 1
    echo "file $otto_facts"
    exec cat <&3
  fi
fi
echo tree
for otto_source; do if [ -d "$otto_source" ]; then echo d; else echo f; fi; done
otto_code=0
otto_tar() { if [ -n "$otto_gnu" ]; then tar -S "$@"; else tar "$@"; fi || otto_code=$?; }
# Whether a path lies on a file system whose lengths are not to be believed: proc, sysfs, cgroup and cgroup2, debugfs,
# tracefs, securityfs, configfs (their numbers in statfs(2)).
otto_unsized() {
  case $(stat -f -c %t -- "$1" 2>/dev/null) in
  9fa0 | 62656572 | 27e0eb | 63677270 | 64626720 | 74726163 | 73636673 | 62656570) return 0 ;;
  [0-9a-f]*) return 1 ;;
  esac
  case $1 in /proc/* | /sys/*) return 0 ;; esac
  return 1
}
# Puts a copy of $1 called $2 into a folder of its own, which is otto_dir then. Of a file without an end (a process's pagemap
# has 256 GB) 64 MB are read, or 128 where the shell counts so, and it is named as too large.
otto_copies='' otto_copied=0
otto_copy() {
  if [ -z "$otto_copies" ]; then
    otto_copies=$(mktemp -d "${TMPDIR:-/tmp}/.otto-get-XXXXXX") || exit 1
    trap 'trap "" TERM INT HUP PIPE; chmod -R u+rwx "$otto_copies"; rm -rf "$otto_copies"' EXIT
    trap 'exit 143' TERM INT HUP PIPE
  fi
  otto_copied=$((otto_copied + 1))
  otto_dir=$otto_copies/$otto_copied
  mkdir "$otto_dir" || exit 1
  (
    trap '' XFSZ
    ulimit -f 131072 2>/dev/null
    if [ -d "$1" ]; then
      cp -R -P "$1/." "$otto_dir/"
    else
      cat <"$1" >"$otto_dir/$2" && chmod "$(stat -L -c %a -- "$1")" "$otto_dir/$2"
    fi
  ) || otto_code=$?
}
for otto_source; do
  [ -d "$otto_source" ] && continue
  case $otto_source in
  */*) otto_dir=${otto_source%/*}; [ -n "$otto_dir" ] || otto_dir=/ ;;
  *) otto_dir=. ;;
  esac
  case $otto_dir in -*) otto_dir=./$otto_dir ;; esac
  if otto_unsized "$otto_source"; then otto_copy "$otto_source" "${otto_source##*/}"; fi
  otto_tar -c -h -f - -C "$otto_dir" "./${otto_source##*/}"
done
for otto_source; do
  [ -d "$otto_source" ] || continue
  case $otto_source in -*) otto_source=./$otto_source ;; esac
  if otto_unsized "$otto_source"; then otto_copy "$otto_source"; otto_source=$otto_dir; fi
  otto_tar -c -f - -C "$otto_source" .
done
exit $otto_code
