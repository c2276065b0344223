# shellcheck shell=sh
# shellcheck disable=SC2154 # project is set before
# otto_await SERVICE healthy|completed|up|over: waits until the service's containers are that; exits 1 with words where they
# cannot be any more. Expects project and otto_docker.
# `.ID`, not `.Id`: for a name that only the raw JSON has, docker gives up its types, and then `.Health` may not be there.

otto_states() {
  ids=$(otto_docker ps -aq --no-trunc --filter label=com.docker.compose.project="$project" \
    --filter label=com.docker.compose.service="$1" --filter label=com.docker.compose.oneoff=False) || exit 1
  [ -n "$ids" ] || { echo "service '$1' has no container" >&2; exit 1; }
  otto_docker container inspect --format '{{.ID}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' $ids
}
# What its restart policy has started again counts as up when it has run for ten seconds, as it does for Docker.
otto_await() {
  calm=0 first='' before=''
  while :; do
    again=0 waiting=
    states=$(otto_states "$1") || exit 1
    while read -r id status code restarts health; do
      again=$((again + restarts))
      case "$2:$status:$code:$health" in
        completed:exited:0:*|over:exited:0:*|*:running:*:healthy) ;;
        up:running:*:|over:running:*:) [ "$restarts" = 0 ] || [ $calm -ge 50 ] || waiting=1 ;;
        healthy:running:*:) echo "service '$1' has no health check, but others wait for it to be healthy" >&2; exit 1 ;;
        up:paused:*|over:paused:*) echo "service '$1' is paused" >&2; exit 1 ;;
        *:exited:*|*:dead:*) echo "service '$1' exited with code $code" >&2
          otto_docker logs --tail 10 "$id" 2>&1 | sed 's/^/  /' >&2; exit 1 ;;
        *:unhealthy) echo "service '$1' is unhealthy" >&2; exit 1 ;;
        *) waiting=1 ;;
      esac
      case "$2:$status" in up:*|over:*|*:restarting) ;; *) continue ;; esac
      [ "$restarts" -lt 5 ] || { [ "$status" != restarting ] && [ "$again" -le "${first:-$again}" ]; } ||
        { echo "service '$1' is restarted again and again ($restarts times so far)" >&2
          otto_docker logs --tail 10 "$id" 2>&1 | sed 's/^/  /' >&2; exit 1; }
    done <<END
$states
END
    [ -n "$waiting" ] || return 0
    first=${first:-$again}
    if [ "$again" = "$before" ]; then calm=$((calm + 1)); else calm=0; fi
    before=$again
    sleep 0.2
  done
}
