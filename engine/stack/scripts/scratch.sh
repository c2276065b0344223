# shellcheck shell=sh
# shellcheck disable=SC2154 # otto_work (job_folder.sh) and otto_tree are set before
# The tree of a stack that is not staged, in the job's own folder: otto_bring PATH CONTENT, otto_link PATH TARGET. Paths are
# relative to the tree and may lie beside it ("../above/x"). Its place comes first on standard output.

mkdir "$otto_tree" || exit 1
printf '%s\n' "$otto_work"
otto_make_way() { mkdir -p "$(dirname "$otto_tree/$1")"; }
otto_bring() { otto_make_way "$1" && printf %s "$2" > "$otto_tree/$1" || exit 1; }
otto_link() { otto_make_way "$1" && ln -s "$2" "$otto_tree/$1" || exit 1; }
