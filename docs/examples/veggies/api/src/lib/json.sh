# Functions to write JSON with busybox's tools.
. "${src:?}/lib/text.sh"

# field NAME VALUE
field() { printf '"%s": "%s"' "$1" "$(escape "$2")"; }

# vegetable FILE: one object
vegetable() {
  printf '  {'
  field name "$(basename "$1" .txt)"
  while read -r key value; do
    printf ', '
    field "$key" "$value"
  done < "$1"
  printf '}'
}

# catalog FOLDER SEASON: an array of those of that season
catalog() {
  printf '[\n'
  first=1
  for file in "$1"/*.txt; do
    [ "$2" = any ] || grep -q "^season .*$2" "$file" || continue
    [ "$first" = 1 ] || printf ',\n'
    first=0
    vegetable "$file"
  done
  printf '\n]\n'
}
