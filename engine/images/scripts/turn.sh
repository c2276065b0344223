# shellcheck shell=sh disable=SC2154 # otto_image_lock, otto_tag and otto_meanwhile are set before
# Takes the lock of an image, which comes before the stage's; exits 79 without it. Expects otto_image_lock (its name),
# otto_tag, otto_meanwhile (1 where another otto may have built otto_tag since it was looked at: then it prints
# "otto-found ID" and is done), otto_docker and lock.sh.
# otto_failed TAG... ends a build that failed: with 78 where one of the images it is made from was removed, else with 1.

otto_lock 7 x "$otto_image_lock" || exit 79
if [ "$otto_meanwhile" = 1 ]; then
  id=$(otto_docker image inspect --format '{{.Id}}' "$otto_tag" 2>/dev/null) && [ -n "$id" ] && { printf 'otto-found %s\n' "$id"; exit 0; }
fi
otto_failed() {
  for upstream; do [ -n "$(otto_docker image ls -q "$upstream" 2>/dev/null)" ] || exit 78; done
  exit 1
}
