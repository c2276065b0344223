# shellcheck shell=sh
# Prints the facts "locks" (the engine's folder for locks) and "account", and sets otto_locks. Expects otto_docker.
# Before anything else is asked, because a project's notes lie in that folder. The first place wins that the account
# can have for itself, so that all its ottos have the same one.

otto_uid=$(id -u) otto_locks=
for otto_dir in /var/tmp /tmp "$HOME"; do
  otto_dir=$otto_dir/otto-locks-$otto_uid
  if [ -e "$otto_dir" ] || [ -L "$otto_dir" ]; then
    [ -d "$otto_dir" ] && [ -O "$otto_dir" ] && [ ! -L "$otto_dir" ] || continue
  else [ -w "${otto_dir%/*}" ] || continue
  fi
  otto_locks=$otto_dir/engine-$(otto_docker info --format '{{.ID}}' 2>/dev/null | tr -dc 'A-Za-z0-9')
  break
done
printf 'fact\tlocks\t%s\nfact\taccount\t%s\n' "$otto_locks" "$(id -un)"
