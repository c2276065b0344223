# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_root is set before
# Prints "fact NAME VALUE" by tabs, of the engine and its tools. Expects otto_root, otto_docker and otto_docker_compose.

printf 'fact\tstage_root\t%s\n' "$otto_root"
printf 'fact\tengine\t%s\n' "$(otto_docker version --format '{{.Server.Version}}' 2>/dev/null)"
otto_docker buildx version >/dev/null 2>&1 && printf 'fact\tbuildx\t1\n'
if v=$(otto_docker compose version --short 2>/dev/null); then printf 'fact\tcompose\t%s\n' "$v"
elif v=$(otto_docker_compose version --short 2>/dev/null); then printf 'fact\tcompose\t%s\nfact\tstandalone\t1\n' "$v"
fi
for tool in zstd gzip; do command -v $tool >/dev/null 2>&1 && printf 'fact\t%s\t1\n' $tool; done
