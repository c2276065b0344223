# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # at is not looked at; project, format, one_shots, replaced, since, starts and here are set before
# Arguments: SERVICE... Tells which of their containers have ended, or are restarted, as soon as they were started: prints
# "otto-exit KIND SERVICE NUMBER CODE" by tabs, and the end of its log. Expects also otto_docker; replaced: ids of containers
# that were; since: how long ago the first may have been started, in milliseconds; starts: of how many containers; here: not
# empty where the engine has this machine's clock.
# The engine tells of starts and deaths by itself, until the last start is 0.1 s ago; on a busy machine, where what fails at
# once does so later, three times as long as its answer takes. Most of that has passed already while Compose came to its end.
# Containers are looked at only where one has died, or where it has not told of every start (it remembers 256 events). What
# dies without having started meanwhile is an earlier command's. That gives up as soon as one has failed: others would fail
# for its sake.

listed=" $* "
otto_seconds() { printf '%s.%s' "${1%?????????}" "${1#"${1%?????????}"}"; }
otto_events() {
  events=$(otto_docker events --since "$(otto_seconds $((otto_now - since * 1000000)))" --until "$(otto_seconds "$1")" \
    --filter type=container --filter event=start --filter event=die --filter label=com.docker.compose.project="$project" \
    --format '{{.TimeNano}} {{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "com.docker.compose.service"}} {{.Actor.Attributes.exitCode}}' \
    </dev/null 2>/dev/null)
}
otto_all_live() {
  [ -n "$here" ] && [ -z "${DOCKER_HOST-}${DOCKER_CONTEXT-}" ] || return 1
  otto_now=$(date +%s%N)
  case $otto_now in *[!0-9]*) return 1 ;; esac
  otto_events "$otto_now" || return 1
  busy=$((($(date +%s%N) - otto_now) * 3))
  [ "$busy" -gt 100000000 ] || busy=100000000
  [ "$busy" -lt 1000000000 ] || busy=1000000000
  last=$(printf '%s\n' "$events" | sed -n 's/^\([0-9]*\) start .*/\1/p' | sort -n | tail -n 1)
  settled=$((${last:-$otto_now} + busy))
  [ "$settled" -le "$otto_now" ] || otto_events "$settled" || return 1
  told=0 living=' ' begun=' '
  while read -r at action id service code; do
    case " $replaced " in *" $id "*) continue ;; esac
    case $listed in *" $service "*) ;; *) continue ;; esac
    case $action:$living in
      start:*" $id "*) continue ;;
      start:*) told=$((told + 1)); living="$living$id " begun="$begun$service " ;;
      die:*" $id "*)
        case $code:" $one_shots " in 0:*" $service "*) continue ;; esac
        return 1 ;;
    esac
  done <<END
$events
END
  for service; do
    case $begun in *" $service "*) ;; *) return 1 ;; esac
  done
  [ "$told" -ge "$starts" ]
}
otto_all_live "$@" && exit 0

there=$(otto_docker ps -a --no-trunc --filter label=com.docker.compose.project="$project" \
  --filter label=com.docker.compose.oneoff=False --format '{{.ID}} {{.Label "com.docker.compose.service"}}' </dev/null) || exit 1
ids=
while read -r id service; do
  case $listed in *" $service "*) ids="$ids $id" ;; esac
done <<END
$there
END
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
