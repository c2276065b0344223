# shellcheck shell=sh disable=SC2154 # cid is set before
# otto_enter DEST unpacks the tar on standard input in the container cid. Exits 83, naming it, where DEST lies in a memory file
# system: the engine would write below that, where nobody in the container sees it.

otto_memory() {
  printf '/dev\n/proc\n/sys\n'
  otto_docker container inspect --format '{{range $path, $_ := .HostConfig.Tmpfs}}{{println $path}}{{end}}{{range .Mounts}}{{if eq .Type "tmpfs"}}{{println .Destination}}{{end}}{{end}}' \
    "$cid" </dev/null
}
otto_enter() {
  otto_found=$(otto_memory) || return 1
  while read -r otto_mount; do
    otto_mount=${otto_mount%/}
    [ -n "$otto_mount" ] || continue
    case $1/ in "$otto_mount"/*) echo "$otto_mount" >&2; return 83 ;; esac
  done <<OTTO_FOUND
$otto_found
OTTO_FOUND
  otto_docker_job cp - "$cid:$1"
}
