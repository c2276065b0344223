# shellcheck shell=sh
# Sends files and trees. Arguments: one|COUNT SOURCE... Prints `file MODE BYTES` and the bytes, or `tree`, a line `d` or `f`
# for each source, and the tar archives.

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
if [ "$otto_count" = one ] && [ -f "$1" ]; then
  case $1 in -*) set -- "./$1" ;; esac
  otto_facts=$(stat -L -c '%a %s' -- "$1" 2>/dev/null) || otto_facts="644 $(($(wc -c <"$1")))" || exit 1
  if ! otto_sparse "$1" "${otto_facts#* }"; then
    exec 3<"$1" || exit 1
    echo "file $otto_facts"
    exec cat <&3
  fi
fi
echo tree
for otto_source; do if [ -d "$otto_source" ]; then echo d; else echo f; fi; done
otto_code=0
otto_tar() { if [ -n "$otto_gnu" ]; then tar -S "$@"; else tar "$@"; fi || otto_code=$?; }
for otto_source; do
  [ -d "$otto_source" ] && continue
  case $otto_source in
  */*) otto_dir=${otto_source%/*}; [ -n "$otto_dir" ] || otto_dir=/ ;;
  *) otto_dir=. ;;
  esac
  case $otto_dir in -*) otto_dir=./$otto_dir ;; esac
  otto_tar -c -h -f - -C "$otto_dir" "./${otto_source##*/}"
done
for otto_source; do
  [ -d "$otto_source" ] || continue
  case $otto_source in -*) otto_source=./$otto_source ;; esac
  otto_tar -c -f - -C "$otto_source" .
done
exit $otto_code
