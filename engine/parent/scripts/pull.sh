# shellcheck shell=sh disable=SC2034,SC2154 # found and pulled are used by the lines that follow
# otto_pull REFERENCE [OPTION...] pulls a base image, printing "unpulled REFERENCE WORDS" by tabs where that fails;
# otto_pull_missing NAME REFERENCE [OPTION...] does so where NAME, Docker's own spelling, is not there.
# Expects otto_images, which lists the images, and otto_docker_job. Sets found, and pulled where something was pulled.

found=$(otto_images) || exit $?
pulled=
otto_pull() {
  pulled=1
  words=$(otto_docker_job pull --quiet "$@" 2>&1 >/dev/null) || printf 'unpulled\t%s\t%s\n' "$1" "$(printf %s "$words" | tr '\t\n' '  ')"
}
otto_pull_missing() {
  case $found in *"	$1	"*) return ;; esac
  shift
  otto_pull "$@"
}
