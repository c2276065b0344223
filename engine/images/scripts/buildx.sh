# shellcheck shell=sh disable=SC2154 # set by what comes before
# otto_build OPTION... builds by buildx, from the Dockerfile on standard input to "$otto_work/iid". Needs job_folder.sh and
# guard.sh.
# The engine's own builder, whatever `docker buildx use` has chosen: another one (of the docker-container driver) does not
# see the engine's images, which the pins name.

cat >"$otto_work/Dockerfile" && : >"$otto_work/Dockerfile.dockerignore" || exit 1
[ -n "$otto_builder" ] || { otto_docker context inspect </dev/null >/dev/null; exit 1; }
otto_build() {
  otto_awaited otto_docker_job buildx build --builder "$otto_builder" --load --progress=plain --iidfile "$otto_work/iid" \
    -f "$otto_work/Dockerfile" "$@" "$otto_stage_tree" >&2
}
