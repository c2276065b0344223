# shellcheck shell=sh disable=SC2154 # set by what comes before
# After the build: otto_unmoved REFERENCE ID exits 76 where a base image has moved (whoever pulls or tags on the parent may
# do so during the build). otto_set_tags says "otto-tagging" among the engine's words, sets otto_tag, leaves the image in id,
# and begins to set otto_latest, which otto_end_tags waits for.

otto_stage_verify
otto_unmoved() { [ "$(otto_docker image inspect --format '{{.Id}}' "$1" 2>/dev/null)" = "$2" ] || exit 76; }
otto_set_tags() {
  id=$(cat "$otto_work/iid") && echo otto-tagging >&2 || exit 1
  otto_docker tag "$id" "$otto_tag" >&2 || exit 1
  otto_docker tag "$id" "$otto_latest" >&2 &
  otto_latest_job=$!
}
otto_end_tags() { wait "$otto_latest_job" || exit 1; }
