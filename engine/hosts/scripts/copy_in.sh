# shellcheck shell=sh disable=SC2154 # cid is set before
# otto_enter DEST unpacks the tar on standard input in the container cid. Exits 83, naming it, where DEST, an absolute path
# without dots, lies in a memory file system: the engine would write below that, where nobody in the container sees it. Of
# mounts in one another the innermost counts.

otto_mounts() {
  printf 'memory /dev\nmemory /proc\nmemory /sys\n'
  otto_docker container inspect --format '{{range $path, $_ := .HostConfig.Tmpfs}}memory {{println $path}}{{end}}{{range .Mounts}}{{if eq .Type "tmpfs"}}memory{{else}}other{{end}} {{println .Destination}}{{end}}' \
    "$cid" </dev/null
}
otto_enter() {
  otto_found=$(otto_mounts) || return 1
  otto_kind='' otto_inner=''
  while read -r otto_word otto_mount; do
    otto_mount=${otto_mount%/}
    [ ${#otto_mount} -gt ${#otto_inner} ] || continue
    case $1/ in "$otto_mount"/*) otto_kind=$otto_word otto_inner=$otto_mount ;; esac
  done <<OTTO_FOUND
$otto_found
OTTO_FOUND
  [ "$otto_kind" != memory ] || { echo "$otto_inner" >&2; return 83; }
  otto_docker_job cp - "$cid:$1"
}
