#!/bin/sh
# assemble.sh SRC OUT SEASON: the tree that api serves, made from its parts. SEASON "any" takes every vegetable.
set -eu
src=$1 out=$2 season=$3
. "$src/lib/json.sh"
mkdir -p "$out/bin" "$out/www"
cp "$src/bin/serve" "$out/bin/serve"
cp -R "$src/www/." "$out/www/"
catalog "$src/catalog" "$season" > "$out/www/catalog.json"
cat "$src"/lib/*.sh | sha256sum | cut -d ' ' -f 1 > "$out/www/lib.sha256"
