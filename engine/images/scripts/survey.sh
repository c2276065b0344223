# shellcheck shell=sh disable=SC2154 # otto_root and otto_project are set before
# What is there that might be pruned: prints "container ID REFERENCE NAME" and "stage KEY BYTES", by tabs, of the project
# otto_project (in lower case). otto_image ID prints "image ID BYTES", otto_record NAME prints "record NAME BYTES".
# Expects otto_root and otto_docker. A context stage is PROJECT-<16 hex digits>; one without a tree was pruned before.
# Containers of others come and go: one that has gone since it was listed uses nothing any more.

ids=$(otto_docker ps -aq --no-trunc) || exit $?
if [ -n "$ids" ]; then
  { said=$(otto_docker container inspect --format 'container	{{.Image}}	{{.Config.Image}}	{{.Name}}' $ids 2>&1 >&3); } 3>&1
  status=$?
  if [ $status != 0 ] && printf '%s\n' "$said" | grep -qiv 'no such container'; then
    printf '%s\n' "$said" >&2
    exit $status
  fi
fi
otto_image() { otto_docker image inspect --format 'image	{{.Id}}	{{.Size}}' "$1" 2>/dev/null; }
bytes() { du -sk -- "$1" 2>/dev/null | { read -r kilobytes rest; printf '%s' "$((${kilobytes:-0} * 1024))"; }; }
for stage in "$otto_root/$otto_project"-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]; do
  for tree in "$stage"/tree.*; do
    [ -d "$tree" ] || continue
    printf 'stage\t%s\t%s\n' "${stage##*/}" "$(bytes "$stage")"
    break
  done
done
otto_record() { [ ! -f "$otto_root/built/$1" ] || printf 'record\t%s\t%s\n' "$1" "$(bytes "$otto_root/built/$1")"; }
