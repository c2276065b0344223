#!/bin/sh
# Not in the context.
set -eu
for file in src/catalog/*.txt; do grep -q "^season " "$file"; done
