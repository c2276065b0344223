# shellcheck shell=sh disable=SC2154 # otto_program is set before
# Prints "command PATH" of otto_program, and "root FOLDER" and its space, by tabs. Expects otto_docker and space.sh.

printf 'command\t%s\n' "$(command -v "$otto_program")"
root=$(otto_docker info --format '{{.DockerRootDir}}' 2>/dev/null) && [ -n "$root" ] || exit 0
printf 'root\t%s\n' "$root"
otto_space root_free "$root"
exit 0
