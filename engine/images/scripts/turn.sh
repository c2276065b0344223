# shellcheck shell=sh disable=SC2034,SC2154 # otto_builder is for buildx.sh; otto_image_lock, otto_tag, otto_meanwhile and
# otto_buildx are set before
# Takes the lock of an image, which comes before the stage's; exits 79 without it. Expects otto_image_lock (its name),
# otto_tag, otto_meanwhile (1 where another otto may have built otto_tag since it was looked at: then it prints
# "otto-found ID" and is done), otto_buildx (1: otto_builder shall be the name of the engine's own builder), otto_docker and
# lock.sh. Both are asked at once.
# otto_failed TAG... ends a build that failed: with 78 where one of the images it is made from was removed, else with 1.

otto_lock 7 x "$otto_image_lock" || exit 79
otto_answers=$(
  [ "$otto_buildx" != 1 ] || otto_docker context inspect --format 'builder {{.Name}}' </dev/null 2>/dev/null &
  [ "$otto_meanwhile" != 1 ] || otto_docker image inspect --format 'image {{.Id}}' "$otto_tag" </dev/null 2>/dev/null
  wait
)
otto_builder=
while read -r otto_what otto_answer; do
  case $otto_what in
  image) printf 'otto-found %s\n' "$otto_answer"; exit 0 ;;
  builder) otto_builder=$otto_answer ;;
  esac
done <<OTTO_ANSWERS
$otto_answers
OTTO_ANSWERS
otto_failed() {
  for upstream; do [ -n "$(otto_docker image ls -q "$upstream" 2>/dev/null)" ] || exit 78; done
  exit 1
}
