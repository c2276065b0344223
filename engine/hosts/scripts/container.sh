# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_project, otto_service, otto_number, otto_temporary, otto_token and otto_ending are set before
# shellcheck disable=SC2254 # otto_temporary is a pattern
# Finds the container of a service (otto_project, otto_service, otto_number), prints "otto-container ID|none" on standard
# error, and calls otto_enter with the arguments, which finds it in cid; its exit status is this one's. What is half
# replaced (names like otto_temporary) counts only where nothing else runs. When the job is to end, otto_ending, a script,
# is run with ID and otto_token.
# The ending ignores further signals and leaves the job's process group, which may be told to end more than once and
# is killed a second later: less than a call of docker may take. A shell without a reader gets SIGPIPE for saying
# "Terminated", before its trap would run; a client of docker without a reader ends by SIGPIPE (141).

listed=$(otto_docker ps --no-trunc --format '{{.ID}} {{.Names}}' --filter label=com.docker.compose.project="$otto_project" --filter label=com.docker.compose.service="$otto_service" --filter label=com.docker.compose.container-number="$otto_number" --filter label=com.docker.compose.oneoff=False) || exit $?
cid='' spare=''
while read -r id name; do
  case $name in $otto_temporary) spare=$id ;; *) cid=$id ;; esac
done <<OTTO_LISTED
$listed
OTTO_LISTED
cid=${cid:-$spare}
printf 'otto-container %s\n' "${cid:-none}" >&2
[ -n "$cid" ] || exit 1
otto_end() {
  trap '' TERM INT HUP PIPE
  otto_setsid=$(command -v setsid) || otto_setsid=
  $otto_setsid sh -c "$otto_ending" sh "$cid" "$otto_token" </dev/null >/dev/null 2>&1 &
}
trap 'otto_end; exit 143' TERM INT HUP PIPE
otto_enter "$@"
otto_code=$?
[ $otto_code -ne 141 ] || otto_end
exit $otto_code
