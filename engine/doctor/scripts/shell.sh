# shellcheck shell=sh
# Prints "shell", "system", "user" and "now" with their values, by tabs.

printf 'shell\t%s\n' "${SHELL:-sh}"
printf 'system\t%s\n' "$(uname -srm 2>/dev/null)"
printf 'user\t%s\n' "$(id -un 2>/dev/null)"
printf 'now\t%s\n' "$(date +%s 2>/dev/null)"
