# shellcheck shell=sh
# shellcheck disable=SC2154 # project, format and one_shots are set before
# Arguments: SERVICE... Looks for half a second whether one of their containers has ended or is restarted; prints
# "otto-exit KIND SERVICE NUMBER CODE" by tabs, and the end of its log. Expects project, format, one_shots and otto_docker.
# Gives up looking as soon as one has failed: others would fail for its sake.

ids=
for service; do
  more=$(otto_docker ps -aq --no-trunc --filter label=com.docker.compose.project="$project" \
    --filter label=com.docker.compose.service="$service" --filter label=com.docker.compose.oneoff=False) || exit 1
  ids="$ids $more"
done
[ -n "${ids# }" ] || exit 0
otto_look() {
  found=
  states=$(otto_docker container inspect --format "$format" $ids) || exit 0  # removed meanwhile
  while read -r id status code restarts service number; do
    case $status:$code:$restarts in
      exited:0:*) case " $one_shots " in *" $service "*) continue ;; esac; kind=exited ;;
      exited:*|dead:*) kind=exited ;;
      restarting:0:*) continue ;;
      restarting:*|*:*:[1-9]*) kind=restarting ;;
      *) continue ;;
    esac
    found=1
    [ -z "$1" ] || { printf 'otto-exit\t%s\t%s\t%s\t%s\n' "$kind" "$service" "$number" "$code"
      otto_docker logs --tail 10 "$id" 2>&1 | sed 's/^/  /'; }
  done <<END
$states
END
}
for turn in 1 2 3 4; do
  otto_look ""
  [ -z "$found" ] || break
  [ $turn = 4 ] || sleep 0.1
done
[ -z "$found" ] || otto_look report
