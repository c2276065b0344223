# shellcheck shell=sh disable=SC2154 # set by what comes before
# otto_build OPTION... builds by the legacy builder, from the Dockerfile on standard input to "$otto_work/iid". Needs
# job_folder.sh and guard.sh.
# The Dockerfile and an ignore file that hides both travel in the context's tar, which legacy_build.h tells about.

name=.otto.Dockerfile own=$otto_work/own
mkdir "$own" && cat >"$own/$name" || exit 1
if [ -e "$otto_stage_tree/$name" ]; then echo "the context has a file $name, which otto needs for itself" >&2; exit 1; fi
case $(tar --version 2>/dev/null) in *GNU*) ;; *) echo "without buildx, GNU tar is needed on the parent" >&2; exit 1 ;; esac
{
  if [ -f "$otto_stage_tree/.dockerignore" ]; then cat "$otto_stage_tree/.dockerignore"; printf '\n!.dockerignore\n'
  else echo .dockerignore; fi
  echo "$name"
} >"$own/.dockerignore" || exit 1
export DOCKER_BUILDKIT=0
otto_send_and_build() {
  {
    tar -c -f - --owner=0 --group=0 --numeric-owner -C "$otto_stage_tree" . -C "$own" .dockerignore "$name" || : >"$otto_work/torn"
  } </dev/null | otto_docker_job build --force-rm --iidfile "$otto_work/iid" -f "$name" "$@" - >&2
}
otto_build() {
  otto_awaited otto_send_and_build "$@" || return
  [ ! -e "$otto_work/torn" ] || exit 1
}
