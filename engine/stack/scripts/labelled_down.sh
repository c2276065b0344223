# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_project, otto_grace and otto_kinds are set before
# shellcheck disable=SC2086 # ids are words
# Takes down what carries the label of the project otto_project: its containers, with otto_grace seconds to stop, then the
# otto_kinds ("network", "network volume"). Expects otto_docker.
# Sidecars first would need the files; containers are stopped together, as `down` does within a level.

of=label=com.docker.compose.project=$otto_project
ids=$(otto_docker ps -aq --no-trunc --filter "$of") || exit 1
if [ -n "$ids" ]; then
  otto_docker stop --time "$otto_grace" $ids >/dev/null </dev/null && otto_docker rm -f -v $ids >/dev/null </dev/null || exit 1
fi
for kind in $otto_kinds; do
  ids=$(otto_docker "$kind" ls -q --filter "$of") || exit 1
  [ -z "$ids" ] || otto_docker "$kind" rm $ids >/dev/null </dev/null || exit 1
done
