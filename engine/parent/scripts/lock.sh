# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_locks and otto_me are set before
# otto_lock DESCRIPTOR s|x NAME takes a lock, saying on standard error for whom it waits; otto_state NAME is the path of a
# file beside the locks. Expects otto_locks, otto_me, otto_locked (empty) and lock_holder.sh.
# Not `exec 7>>file` at once: a redirection that fails ends dash. Nothing that is waited for in the background may hold
# a lock, so flock itself reads nothing.

otto_lock_room() {
  [ -z "$otto_locked" ] || return 0
  command -v flock >/dev/null 2>&1 || { echo "flock (util-linux) is needed on this host" >&2; return 1; }
  for otto_dir in "${otto_locks%/*}" "$otto_locks"; do
    [ -d "$otto_dir" ] || (umask 077; mkdir -p -- "$otto_dir") 2>/dev/null || :
    [ -d "$otto_dir" ] && [ -O "$otto_dir" ] && [ ! -L "$otto_dir" ] && [ -w "$otto_dir" ] ||
      { echo "the folder for locks, $otto_dir, cannot be made or is somebody else's" >&2; return 1; }
  done
  otto_locked=1
}
otto_state() { printf '%s' "$otto_locks/$1"; }
otto_lock() {
  otto_lock_room && : >>"$otto_locks/$3.lock" || return 1
  eval "exec $1>>\"\$otto_locks/\$3.lock\""
  if ! flock -w 0.3 "-$2" "$1" </dev/null; then
    otto_tell_waiting "$3" "$otto_locks/$3.by" >&2
    flock "-$2" "$1" </dev/null || return 1
  fi
  [ "$2" = s ] || otto_note_holder "$otto_me" "$otto_locks/$3.by" 2>/dev/null || :
}
