# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # a line has fields that are not looked at; otto_project, otto_known, otto_temporary and otto_images are set before
# shellcheck disable=SC2254 # otto_temporary is a pattern
# Prints the containers of the project otto_project: "state ..." by tabs, in one call, where all that is there is known
# (otto_known: ids between blanks) and plainly up or exited; else "container ...", by inspecting what is there.
# otto_temporary is the pattern of names of what is half replaced; otto_images, where it is not empty, is the process that
# lists the images and comes first.
# A container may go between the two calls: then inspect fails, and the list is taken again. What began to run only just
# now, but was made long ago, may be restarted again and again: only inspect tells how often.

otto_containers() {
  listed=$(otto_docker ps -a --no-trunc --filter label=com.docker.compose.project="$otto_project" --filter label=com.docker.compose.oneoff=False --format 'state	{{.ID}}	{{.Names}}	{{.RunningFor}}	{{.Status}}') || return $?
  [ -n "$listed" ] || return 0
  plain=1 ids=
  while IFS='	' read -r word id name age status; do
    ids="$ids $id"
    case $otto_known in *" $id "*) ;; *) plain= ;; esac
    case $name in $otto_temporary) plain= ;; esac
    case $status in *'(Paused)') plain= ;; 'Up '* | 'Exited ('*) ;; *) plain= ;; esac
    case $status in 'Up Less than '*) up=0 ;; 'Up '[1-9]' second'*) up=${status#Up } up=${up%% *} ;; *) continue ;; esac
    case $age in 'Less than '*) age=0 ;; [1-9]*' second'*) age=${age%% *} ;; *) age=60 ;; esac
    [ "$age" -le $((up + 1)) ] || plain=
  done <<OTTO_LISTED
$listed
OTTO_LISTED
  if [ -n "$plain" ]; then printf '%s\n' "$listed"; else otto_docker container inspect --format 'container	{{.ID}}	{{.Image}}	{{.State.Status}}	{{.State.ExitCode}}	{{index .Config.Labels "com.docker.compose.service"}}	{{index .Config.Labels "com.docker.compose.container-number"}}	{{index .Config.Labels "otto.service-digest"}}	{{.Config.Image}}	{{.Name}}	{{if .State.Health}}{{.State.Health.Status}}{{end}}	{{.RestartCount}}	{{index .Config.Labels "otto.account"}}' $ids; fi
}
found=$(otto_containers 2>/dev/null); otto_listed=$?
[ -z "$otto_images" ] || wait "$otto_images" || exit $?
[ "$otto_listed" = 0 ] || found=$(otto_containers) || exit $?
printf '%s\n' "$found"
