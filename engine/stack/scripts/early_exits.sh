# shellcheck shell=sh
# shellcheck disable=SC2154 # project, format, one_shots, replaced, since and starts are set before
# Arguments: SERVICE... Tells which of their containers have ended, or are restarted, as soon as they were started: prints
# "otto-exit KIND SERVICE NUMBER CODE" by tabs, and the end of its log. Expects also otto_docker; replaced: ids of containers
# that were; since: how long ago the first may have been started, in milliseconds; starts: of how many the engine must have
# told at least.
# The engine tells of starts and deaths by itself, for a fifth of a second more. Containers are looked at only where one
# died, or where it has not told of every start (it remembers 256 events). That gives up as soon as one has failed: others
# would fail for its sake.

otto_seconds() { printf '%s.%s' "${1%?????????}" "${1#"${1%?????????}"}"; }
otto_all_live() {
  otto_now=$(date +%s%N)
  case $otto_now in *[!0-9]*) return 1 ;; esac
  events=$(otto_docker events --since "$(otto_seconds $((otto_now - since * 1000000)))" \
    --until "$(otto_seconds $((otto_now + 200000000)))" --filter type=container --filter event=start --filter event=die \
    --filter label=com.docker.compose.project="$project" --format '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.exitCode}} {{index .Actor.Attributes "com.docker.compose.service"}}' </dev/null 2>/dev/null) || return 1
  told=0 living=' '
  while read -r action id code service; do
    case " $replaced " in *" $id "*) continue ;; esac
    case $action in
      start) told=$((told + 1)); living="$living$id " ;;
      die)
        case $living in *" $id "*) ;; *) continue ;; esac  # it died before it was started
        case $code:" $one_shots " in 0:*" $service "*) continue ;; esac
        return 1 ;;
    esac
  done <<END
$events
END
  [ "$told" -ge "$starts" ]
}
otto_all_live && exit 0

listed=" $* "
ids=
while read -r id service; do
  case $listed in *" $service "*) ids="$ids $id" ;; esac
done <<END
$(otto_docker ps -a --no-trunc --filter label=com.docker.compose.project="$project" \
  --filter label=com.docker.compose.oneoff=False --format '{{.ID}} {{.Label "com.docker.compose.service"}}' </dev/null)
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
